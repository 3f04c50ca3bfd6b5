"""Paired tests on right and wrong answers, for many slices at once; `gate.py` makes a verdict of them.

Everywhere `wins` are rows that only the challenger got right, `losses` rows that only the champion got
right, and the gain is challenger minus champion: (wins - losses) / rows. Tests on F1 are in
`models/randomization.py`.
"""

import math

import numpy as np
from scipy.special import bdtr, bdtrc, ndtr, ndtri

_SPREADS = np.linspace(-8, 8, 321)
_SCALES = np.tan(np.linspace(-1.55, 1.55, 161))


def mcnemar(wins: np.ndarray, losses: np.ndarray) -> np.ndarray:
    """Test that the challenger is right more often: exact, one-sided.

    McNemar, "Note on the sampling error of the difference between correlated proportions", 1947; under
    equality each of the discordant rows is a fair coin, so p = P(Binomial(wins + losses, 1/2) >= wins).

    Args:
        wins: (slices,) counts.
        losses: (slices,) counts.

    Returns:
        (slices,) p-values.
    """
    wins, losses = np.asarray(wins), np.asarray(losses)
    tail = bdtrc(np.maximum(wins - 1, 0), np.maximum(wins + losses, 1), 0.5)
    return np.where(wins > 0, tail, 1.0)


def tango(wins: np.ndarray, losses: np.ndarray, rows: np.ndarray, gain: np.ndarray | float) -> np.ndarray:
    """Give the score statistic of H0 "the true gain is `gain`"; standard normal under it.

    Tango, "Equivalence test and confidence interval for the difference in proportions for the paired-sample
    design", Statistics in Medicine 17, 1998. The nuisance parameter is estimated under the hypothesis, so
    that it holds its level with few discordant rows too.

    Args:
        wins: (slices,) counts.
        losses: (slices,) counts.
        rows: (slices,) rows compared.
        gain: (slices,) or one hypothetical true gain (fraction, -1 to 1).
    """
    # Tango's formulas for q21, the probability of a loss, where the difference is fixed.
    linear = -wins - losses + (2 * rows - wins + losses) * gain
    constant = -losses * gain * (1 - gain)
    root = np.sqrt(np.maximum(linear**2 - 8 * rows * constant, 0))
    loss_chance = (root - linear) / (4 * np.maximum(rows, 1))
    variance = rows * (2 * loss_chance + gain * (1 - gain))
    with np.errstate(divide="ignore", invalid="ignore"):
        score = (wins - losses - rows * gain) / np.sqrt(np.maximum(variance, 0))
    clean: np.ndarray = np.nan_to_num(score, nan=0.0)
    return clean


def not_inferior(
    wins: np.ndarray, losses: np.ndarray, rows: np.ndarray, margin: np.ndarray | float
) -> np.ndarray:
    """Test that the challenger is less than `margin` worse: H0 is "the gain is -margin or lower".

    Args:
        wins: (slices,) counts.
        losses: (slices,) counts.
        rows: (slices,) rows compared; without rows nothing is shown and p is 1.
        margin: How much worse is still good enough (fraction, 0-1); at 0 the exact test is used.

    Returns:
        (slices,) one-sided p-values.
    """
    margins = np.asarray(margin, dtype=float)
    score = ndtr(-tango(wins, losses, rows, -margins))
    return np.where(rows > 0, np.where(margins > 0, score, mcnemar(wins, losses)), 1.0)


def harmed(wins: np.ndarray, losses: np.ndarray, rows: np.ndarray, margin: np.ndarray | float) -> np.ndarray:
    """Test that the challenger is worse by more than `margin`: H0 is "the gain is -margin or higher".

    Args:
        wins: (slices,) counts.
        losses: (slices,) counts.
        rows: (slices,) rows compared; without rows nothing is shown and p is 1.
        margin: How much worse is no harm yet (fraction, 0-1); at 0 the exact test is used.

    Returns:
        (slices,) one-sided p-values.
    """
    margins = np.asarray(margin, dtype=float)
    score = ndtr(tango(wins, losses, rows, -margins))
    exact = bdtr(wins, np.maximum(np.asarray(wins) + losses, 1), 0.5)
    return np.where(rows > 0, np.where(margins > 0, score, exact), 1.0)


def holm(p_values: np.ndarray) -> np.ndarray:
    """Adjust p-values for their number, step down: compare the result with the level of the family.

    Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979.

    Args:
        p_values: (tests,) values of one family.

    Returns:
        (tests,) adjusted values in the same order; never below the given ones.
    """
    count = len(p_values)
    order = np.argsort(p_values, kind="stable")
    adjusted = np.empty(count)
    adjusted[order] = np.maximum.accumulate(np.asarray(p_values)[order] * np.arange(count, 0, -1))
    return np.minimum(adjusted, 1.0)


def needed_rows(gain: float, discordance: float, alpha: float, power: float = 0.8) -> int:
    """Give the rows with which the one-sided paired test finds this gain with the given power.

    Connor, "Sample size for testing differences in proportions for the paired-sample design", Biometrics
    43, 1987: n = (z_alpha sqrt(d) + z_power sqrt(d - gain^2))^2 / gain^2.

    Args:
        gain: True gain over what has to be beaten (fraction, above 0).
        discordance: d, the share of rows that only one of the two gets right, or the variance of one
            row's difference where the score is no share (not below gain^2).
        alpha: One-sided level.
        power: Wanted chance of finding the gain.

    Returns:
        Rows, at least 1.
    """
    spread = math.sqrt(max(discordance - gain**2, 0.0))
    root = float(-ndtri(alpha) * math.sqrt(discordance) + ndtri(power) * spread) / gain
    return max(1, math.ceil(root**2))


def chance_worse(gain: float, spread: float, typical: float) -> float:
    """Give the probability that the challenger is truly worse, after a gain was observed.

    A retrained version usually differs from the champion by little, so a big observed gain on few rows is
    mostly luck, and more so for the winner of many tries: at 15 % discordance and 2,000 rows, every tenth
    promotion by a test at level 0.05 is truly worse (`benchmarks/gate_histories.py`). The posterior under a
    sceptical prior counts that in: true gain ~ Cauchy(0, `typical`), whose heavy tails let large gains
    through (Jeffreys, Theory of Probability, 1961; sceptical priors: Spiegelhalter, Freedman & Parmar,
    J. R. Statist. Soc. A 157, 1994), observed gain ~ normal(true gain, `spread`).

    Args:
        gain: Observed gain (fraction).
        spread: Its standard error (fraction); 0 means that the gain is known.
        typical: Scale of true differences between versions (fraction, above 0).

    Returns:
        P(true gain < 0 | observed gain), 0-1.
    """
    if spread <= 0:
        return float(gain < 0)
    # Both the likelihood and the prior must be met by enough points, however different their widths.
    points = np.sort(np.concatenate([gain + spread * _SPREADS, typical * _SCALES, [0.0]]))
    density = np.exp(-0.5 * ((points - gain) / spread) ** 2) / (1 + (points / typical) ** 2)
    pieces = np.diff(points) * (density[1:] + density[:-1])
    total = pieces.sum()
    return float(pieces[: np.searchsorted(points, 0.0)].sum() / total) if total > 0 else float(gain < 0)
