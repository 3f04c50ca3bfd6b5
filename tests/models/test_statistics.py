"""The paired tests on right and wrong answers, against hand calculations and simulated levels."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, binomtest, norm

from models.statistics import chance_worse, harmed, holm, mcnemar, needed_rows, not_inferior, tango

counts = st.integers(min_value=0, max_value=400)


def _pairs(rows: int, discordance: float, gain: float, samples: int, seed: int) -> np.ndarray:
    """Draw (2, samples) wins and losses of pairs with a true gain."""
    chances = [(discordance + gain) / 2, (discordance - gain) / 2, 1 - discordance]
    return np.random.default_rng(seed).multinomial(rows, chances, size=samples).T[:2]


def _rejects_at_most(share: float, level: float, samples: int) -> bool:
    """Tell whether a share of rejections is compatible with the level (99.9 % limit)."""
    return share * samples <= binom.isf(0.001, samples, level)


def test_mcnemar_is_a_fair_coin():
    """Ten wins and two losses have p = (66 + 12 + 1) / 4096."""
    assert mcnemar(np.array([10]), np.array([2]))[0] == pytest.approx(79 / 4096)


def test_mcnemar_without_discordant_rows_shows_nothing():
    """Two versions that never differ have p = 1."""
    assert mcnemar(np.array([0, 0]), np.array([0, 3])).tolist() == [1, 1]


@given(wins=counts, losses=counts)
def test_mcnemar_agrees_with_scipy(wins: int, losses: int):
    """The exact test is scipy's one-sided binomial test on the discordant rows."""
    expected = binomtest(wins, wins + losses, alternative="greater").pvalue if wins + losses else 1.0
    assert float(mcnemar(np.array(wins), np.array(losses))) == pytest.approx(expected, abs=1e-12)


@given(wins=counts, losses=counts)
def test_one_more_win_never_weakens_the_case(wins: int, losses: int):
    """A further win lowers the p-value or leaves it."""
    assert mcnemar(np.array(wins + 1), np.array(losses)) <= mcnemar(np.array(wins), np.array(losses)) + 1e-12


@given(wins=counts, losses=counts)
def test_five_discordant_rows_are_the_least(wins: int, losses: int):
    """With fewer than five discordant rows nothing is significant at 0.05."""
    if wins + losses < 5:
        assert mcnemar(np.array(wins), np.array(losses)) > 0.05


def test_tango_without_margin_is_the_score_of_mcnemar():
    """At a gain of 0 the statistic is (wins - losses) / sqrt(wins + losses)."""
    score = tango(np.array([16]), np.array([9]), np.array([100]), 0.0)
    assert score[0] == pytest.approx(7 / 5)


def test_tango_agrees_with_its_restricted_likelihood():
    """The closed form's nuisance parameter is the one that maximizes the likelihood under H0."""
    wins, losses, rows, gain = 4, 9, 60, -0.1
    loss_chances = np.linspace(0.1001, 0.5, 400_001)
    likelihood = (
        wins * np.log(loss_chances + gain)
        + losses * np.log(loss_chances)
        + (rows - wins - losses) * np.log(1 - 2 * loss_chances - gain)
    )
    best = loss_chances[likelihood.argmax()]
    variance = rows * (2 * best + gain - gain**2)
    expected = (wins - losses - rows * gain) / np.sqrt(variance)
    assert tango(np.array(wins), np.array(losses), np.array(rows), gain) == pytest.approx(expected, abs=1e-3)


@given(wins=counts, losses=counts, margin=st.floats(0.001, 0.3))
def test_harm_is_non_inferiority_from_the_other_side(wins: int, losses: int, margin: float):
    """The two one-sided tests at the same margin have p-values that add up to 1."""
    rows = np.array(1000)
    pair = (np.array(wins), np.array(losses), rows, margin)
    assert float(harmed(*pair) + not_inferior(*pair)) == pytest.approx(1)


@given(wins=counts, losses=counts, gain=st.floats(-0.3, 0.3))
def test_tango_is_antisymmetric(wins: int, losses: int, gain: float):
    """Swapping the versions turns the statistic around."""
    rows = np.array(1000)
    there = tango(np.array(wins), np.array(losses), rows, gain)
    back = tango(np.array(losses), np.array(wins), rows, -gain)
    assert float(there) == pytest.approx(-float(back), abs=1e-6)


@given(wins=counts, losses=counts, margin=st.floats(0, 0.2))
def test_a_wider_margin_makes_non_inferiority_easier(wins: int, losses: int, margin: float):
    """The p-value of non-inferiority falls with the margin, beyond what is exact at 0."""
    rows = np.array(1000)
    narrow = not_inferior(np.array(wins), np.array(losses), rows, margin + 0.001)
    wide = not_inferior(np.array(wins), np.array(losses), rows, margin + 0.05)
    assert wide <= narrow + 1e-9


def test_no_rows_show_nothing():
    """Without rows neither harm nor its absence is shown."""
    nothing = np.zeros(1, dtype=int)
    assert harmed(nothing, nothing, nothing, 0.1)[0] == 1
    assert not_inferior(nothing, nothing, nothing, 0.1)[0] == 1


@pytest.mark.parametrize("discordance", [0.05, 0.15])
@pytest.mark.parametrize("rows", [60, 500])
def test_mcnemar_holds_its_level(rows: int, discordance: float):
    """Equal versions are called better in at most 5 % of 4,000 samples."""
    wins, losses = _pairs(rows, discordance, 0.0, 4000, seed=1)
    assert _rejects_at_most((mcnemar(wins, losses) <= 0.05).mean(), 0.05, 4000)


@pytest.mark.parametrize("margin", [0.005, 0.02, 0.05])
@pytest.mark.parametrize("rows", [250, 2000])
def test_harm_and_non_inferiority_hold_their_level(rows: int, margin: float):
    """At a true gain of exactly -margin either test rejects in about 5 % of 4,000 samples."""
    wins, losses = _pairs(rows, 0.12, -margin, 4000, seed=2)
    sizes = np.full(4000, rows)
    for test in (harmed, not_inferior):
        share = (test(wins, losses, sizes, margin) <= 0.05).mean()
        # Tango's test is asymptotic: its true level is within half a point of 0.05 here.
        assert _rejects_at_most(share, 0.055, 4000)
        assert share > 0.035


def test_holm_steps_down():
    """0.01, 0.04, 0.03 become 0.03, 0.06, 0.06 as in Holm's procedure."""
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])


@given(p_values=st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_holm_keeps_order_and_never_helps(p_values: list[float]):
    """Adjusted values are in the same order, not below the given ones and not above 1."""
    adjusted = holm(np.array(p_values))
    order = np.argsort(p_values, kind="stable")
    assert (np.diff(adjusted[order]) >= 0).all()
    assert (adjusted >= np.array(p_values) - 1e-12).all()
    assert adjusted.max() <= 1


def test_needed_rows_have_the_power():
    """On the rows that Connor's formula asks for, the exact test finds the gain in about 80 % of samples."""
    rows = needed_rows(gain=0.03, discordance=0.12, alpha=0.05)
    wins, losses = _pairs(rows, 0.12, 0.03, 4000, seed=3)
    assert 0.76 <= (mcnemar(wins, losses) <= 0.05).mean() <= 0.82


def test_needed_rows_by_hand():
    """A gain of 0.05 at discordance 0.25 needs ((1.645 * 0.5 + 0.842 * 0.4975) / 0.05)^2 = 617 rows."""
    by_hand = ((norm.isf(0.05) * 0.5 + norm.isf(0.2) * np.sqrt(0.2475)) / 0.05) ** 2
    assert needed_rows(0.05, 0.25, 0.05) == np.ceil(by_hand) == 617


def test_a_known_gain_has_no_luck():
    """Without spread the sign of the gain decides."""
    assert chance_worse(0.01, 0.0, 0.01) == 0
    assert chance_worse(-0.01, 0.0, 0.01) == 1


@given(spread=st.floats(1e-4, 0.5), typical=st.floats(1e-3, 0.2))
def test_no_gain_is_a_toss(spread: float, typical: float):
    """An observed gain of 0 is a loss with a chance of one half."""
    assert chance_worse(0.0, spread, typical) == pytest.approx(0.5, abs=0.01)


def test_a_wide_prior_leaves_the_p_value():
    """Where versions differ by far more than the spread, the chance is the normal test's p-value."""
    assert chance_worse(0.0164485, 0.01, 1000.0) == pytest.approx(0.05, abs=1e-3)


def test_the_chance_agrees_with_sampling():
    """The posterior is that of 4 million draws from the prior, seen through noise."""
    generator = np.random.default_rng(4)
    truth = 0.01 * generator.standard_cauchy(4_000_000)
    seen = truth + 0.009 * generator.standard_normal(4_000_000)
    near = np.abs(seen - 0.016) < 0.0005
    assert chance_worse(0.016, 0.009, 0.01) == pytest.approx((truth[near] < 0).mean(), abs=0.005)


@given(gain=st.floats(0, 0.2), spread=st.floats(1e-3, 0.1))
def test_scepticism_never_makes_a_win_surer(gain: float, spread: float):
    """The chance of a loss is at least the normal test's p-value, and falls as the gain grows."""
    chance = chance_worse(gain, spread, 0.01)
    assert chance >= norm.sf(gain / spread) - 1e-3
    assert chance_worse(gain + 0.01, spread, 0.01) <= chance + 1e-3
