"""Is the challenger better on the current window: than the champion, or than every baseline?"""

import math

from models.comparison import Comparison
from models.gating.finding import Finding, describe
from models.gating.rules import GateRules
from models.schemas import Guardrail, TestResult
from models.statistics import chance_worse, needed_rows


def compare_scores(name: str, comparison: Comparison, alpha: float) -> TestResult:
    """Run the one-sided paired test on the comparison's first slice, the current window."""
    p_value = float(comparison.better()[0])
    return TestResult(
        name=name,
        method=comparison.better_method,
        rows=int(comparison.rows[0]),
        challenger=float(comparison.challenger[0]),
        champion=float(comparison.champion[0]),
        difference=float(comparison.gain[0]),
        p_value=p_value,
        alpha=alpha,
        passed=p_value <= alpha,
    )


def judge_win(test: TestResult, variance: float, rules: GateRules, used_up: bool) -> list[Finding]:
    """Say what is wrong with a win, if there is one: nothing, unproven, or no win at all.

    Args:
        test: The superiority test.
        variance: Variance of one row's contribution to the gain (the discordance).
        rules: The agent's description, or the start's.
        used_up: Whether rows of the current window were left out.
    """
    if test.passed:
        return []
    against = f"the {test.name}" if test.name == "champion" else f"baseline {test.name}"
    if test.difference <= 0 or test.difference < rules.harm_margin:
        return [Finding(f"it is not better than {against}: {describe(test)}", against=True)]
    needed = _enough_rows(test, variance, rules)
    text = f"it leads {against} by {_points(test.difference)}, not significantly: {describe(test)}"
    return [Finding(text, against=False, needed_rows=needed, used_up=used_up)]


def check_luck(test: TestResult, variance: float, rules: GateRules) -> Guardrail | None:
    """Give the chance that a significant win is truly a loss, held to `alpha`; None if not asked for."""
    if not test.passed or rules.typical_change is None:
        return None
    value = _chance(test.difference, variance, test.rows, rules.typical_change)
    return Guardrail(name="chance_worse", value=value, limit=rules.alpha, passed=value <= rules.alpha)


def judge_luck(
    luck: Guardrail | None, test: TestResult, variance: float, rules: GateRules, used_up: bool
) -> list[Finding]:
    """Turn a win that would too often be luck into a wish for more rows."""
    if luck is None or luck.passed:
        return []
    text = (
        f"it leads the champion by {_points(test.difference)}, but that is truly a loss with a chance of "
        f"{100 * luck.value:.1f} %: {describe(test)}"
    )
    needed = _enough_rows(test, variance, rules)
    return [Finding(text, against=False, needed_rows=needed, used_up=used_up)]


def _enough_rows(test: TestResult, variance: float, rules: GateRules) -> int:
    """Find the rows on which this gain would be significant with a power of 0.8, and would be believed."""
    rows = max(needed_rows(test.difference, variance, rules.alpha), test.rows + 1)
    if rules.typical_change is None:
        return rows
    while _chance(test.difference, variance, rows, rules.typical_change) > rules.alpha:
        rows = math.ceil(1.1 * rows)
    return rows


def _chance(gain: float, variance: float, rows: int, typical: float) -> float:
    return chance_worse(gain, math.sqrt(max(variance - gain**2, 0.0) / rows), typical)


def _points(gain: float) -> str:
    return f"{100 * gain:.1f} points"
