"""The gate's verdicts, rule by rule."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.adapters import Outcomes
from models.errors import DataError
from models.gate import GateEvidence, Measured, judge
from models.schemas import AgentConfig, SourceConfig

ROWS = 1000


def _rules(**changes: object) -> AgentConfig:
    values = {"name": "agent", "adapter": "text_classification", "labels": ("no", "yes")}
    return AgentConfig.model_validate(values | {"sources": (SourceConfig(address="rows.csv"),)} | changes)


def _outcomes(right: np.ndarray) -> Outcomes:
    return Outcomes(np.stack([right, ~right, ~right], axis=1).astype(np.int64), right)


def _versions(wins: int, losses: int, rows: int = ROWS) -> tuple[Outcomes, Outcomes]:
    """Make a challenger and a champion; wins come first, then losses, then rows both got right."""
    place = np.arange(rows)
    return _outcomes((place < wins) | (place >= wins + losses)), _outcomes(place >= wins)


def _evidence(wins: int, losses: int, rows: int = ROWS, **changes: object) -> GateEvidence:
    challenger, champion = _versions(wins, losses, rows)
    values = {"challenger": challenger, "champion": champion, "current": np.ones(rows, dtype=bool)}
    return GateEvidence(**(values | changes))  # type: ignore[arg-type]  # a test's shorthand


def test_a_clear_win_is_promoted():
    """60 wins to 20 losses on 1,000 rows is a win beyond luck."""
    report = judge(_evidence(60, 20), _rules())
    assert report.verdict == "promote"
    assert report.superiority is not None
    assert report.superiority.difference == pytest.approx(0.04)


def test_the_reason_has_the_numbers():
    """A person reads both scores, the rows and the p-value."""
    reason = judge(_evidence(60, 20), _rules()).reason
    assert "98.0 % against 94.0 % on 1,000 rows (p = 4.3e-06)" in reason


def test_a_tie_is_kept():
    """As many wins as losses promote nothing."""
    assert judge(_evidence(40, 40), _rules()).verdict == "keep"


def test_the_same_answers_are_kept():
    """A challenger that answers like the champion everywhere is no improvement."""
    assert judge(_evidence(0, 0), _rules()).verdict == "keep"


def test_a_loss_is_kept():
    """More losses than wins is no improvement."""
    assert judge(_evidence(20, 60), _rules()).verdict == "keep"


def test_an_unproven_gain_asks_for_rows():
    """A gain of 0.01 at discordance 0.06 needs ((1.645 * 0.245 + 0.842 * 0.2447) / 0.01)^2 = 3,708 rows."""
    report = judge(_evidence(35, 25), _rules())
    assert report.verdict == "not_enough_data"
    assert report.needed_rows == 3708


def test_a_gain_too_small_to_matter_is_kept():
    """A gain below harm_margin is not worth more rows."""
    assert judge(_evidence(24, 20), _rules()).verdict == "keep"


def test_a_significant_win_that_may_be_luck_asks_for_rows():
    """A p-value of 0.03 on a gain of 1.7 points is truly a loss in 6 % of such cases."""
    report = judge(_evidence(50, 33), _rules())
    assert report.superiority is not None
    assert report.superiority.passed
    assert report.verdict == "not_enough_data"
    assert report.needed_rows is not None
    assert report.needed_rows > ROWS
    assert [rail.passed for rail in report.guardrails if rail.name == "chance_worse"] == [False]


def test_without_typical_change_every_significant_win_counts():
    """Switched off, the rule against luck blocks nothing."""
    assert judge(_evidence(50, 33), _rules(typical_change=None)).verdict == "promote"


def test_a_harmed_slice_blocks():
    """A win over all does not excuse a slice that is significantly worse."""
    place = np.arange(ROWS)
    slices = {"domain=a": (place < 100) & (place >= 60), "domain=b": (place >= 70) & (place < 170)}
    report = judge(_evidence(70, 25, slices=slices), _rules())
    assert report.verdict == "keep"
    assert "slice domain=b fell: 75.0 % against 100.0 % on 100 rows" in report.reason


def test_small_slices_are_listed():
    """A slice below min_slice_rows is not judged, however bad it looks."""
    slices = {"domain=b": (np.arange(ROWS) >= 70) & (np.arange(ROWS) < 90)}
    report = judge(_evidence(70, 20, slices=slices), _rules())
    assert report.verdict == "promote"
    assert report.too_small == {"domain=b": 20}


def test_slices_are_corrected_for_their_number():
    """A drop that one slice alone would show is expected somewhere among twenty."""
    place = np.arange(2000)
    drop = {"domain=0": (place >= 93) & (place < 193)}
    even = {f"domain={i}": place % 20 == i for i in range(1, 20)}
    one = judge(_evidence(93, 3, 2000, slices=drop), _rules(harm_margin=0.0))
    many = judge(_evidence(93, 3, 2000, slices=drop | even), _rules(harm_margin=0.0))
    assert (one.verdict, many.verdict) == ("keep", "promote")


def test_a_protected_slice_must_be_shown_to_be_safe():
    """Where the rows neither show harm nor exclude it, a protected slice asks for more rows."""
    slices = {"domain=a": np.arange(ROWS) % 10 == 0}
    rules = _rules(protected_slices={"domain=a": 0.01})
    assert judge(_evidence(80, 20, slices=slices), rules).verdict == "promote"
    thin = {"domain=a": (np.arange(ROWS) >= 99) & (np.arange(ROWS) < 160)}
    report = judge(_evidence(80, 20, slices=thin), rules)
    assert report.verdict == "keep"
    assert "domain=a is not shown to be within 1.0 points" in report.reason


def test_a_protected_slice_that_leans_right_asks_for_rows():
    """60 rows on which the versions agree do not exclude a loss of one point."""
    slices = {"domain=a": np.arange(ROWS) >= ROWS - 60}
    report = judge(_evidence(80, 20, slices=slices), _rules(protected_slices={"domain=a": 0.01}))
    assert report.verdict == "not_enough_data"
    assert report.needed_rows is not None
    assert report.needed_rows > 60


def test_a_protected_slice_without_rows_asks_for_them():
    """What was not seen can not be shown to be safe."""
    report = judge(_evidence(80, 20), _rules(protected_slices={"domain=z": 0.05}))
    assert report.verdict == "not_enough_data"
    assert "protected slice domain=z has no fresh held-out rows" in report.reason


def test_too_few_rows_are_not_compared():
    """Below min_slice_rows there is no test, whatever the outcomes."""
    report = judge(_evidence(30, 0, rows=40), _rules())
    assert (report.verdict, report.needed_rows, report.superiority) == ("not_enough_data", 50, None)


def test_superiority_looks_at_the_current_window_only():
    """Wins on the reference window do not make a challenger better now."""
    current = np.arange(ROWS) >= 100
    slices = {"window=reference": ~current}
    assert judge(_evidence(90, 0, current=current, slices=slices), _rules()).verdict == "keep"


def test_the_reference_window_is_a_slice():
    """A win now does not excuse a loss on the reference window."""
    current = np.arange(ROWS) < 500
    losses = np.arange(ROWS) >= 940
    challenger, champion = _versions(60, 0)
    worse = _outcomes(challenger.exact & ~losses)
    evidence = GateEvidence(worse, champion, current, slices={"window=reference": ~current})
    report = judge(evidence, _rules())
    assert report.verdict == "keep"
    assert "window=reference fell" in report.reason


def test_the_anchor_stops_a_slow_slide():
    """A challenger that beats the champion but is worse than the anchor is kept out."""
    anchor = _outcomes(np.ones(ROWS, dtype=bool))
    report = judge(_evidence(60, 30, anchor=anchor), _rules())
    assert report.verdict == "keep"
    assert "slice anchor fell" in report.reason


def test_used_up_rows_are_left_out():
    """Rows that served max_reuse decisions are not compared again."""
    uses = np.where(np.arange(ROWS) < 60, 20, 0)
    report = judge(_evidence(60, 20, uses=uses), _rules())
    assert report.verdict == "keep"
    assert (report.used_up, report.rows) == (60, 940)


def test_too_few_fresh_rows_say_so():
    """Where the rows would have done but are used up, the verdict names that."""
    uses = np.where(np.arange(ROWS) < 970, 20, 0)
    report = judge(_evidence(60, 20, uses=uses), _rules())
    assert report.verdict == "not_enough_fresh_data"
    assert "970 more have served 20 decisions" in report.reason


def test_a_used_up_reference_window_stops_a_promotion():
    """A win now promotes nothing while nobody can see what it costs on the old rows."""
    current = np.arange(ROWS) < 500
    evidence = _evidence(
        60, 0, current=current, slices={"window=reference": ~current}, uses=np.where(current, 0, 20)
    )
    report = judge(evidence, _rules())
    assert report.verdict == "not_enough_fresh_data"
    assert "slice window=reference has 0 fresh held-out rows and 50 is the least" in report.reason
    assert judge(evidence, _rules(max_reuse=21)).verdict == "promote"


def test_an_unproven_gain_beside_used_up_rows_asks_for_fresh_ones():
    """More rows of the current window are wanted, and some are used up: fresh ones are what is missing."""
    uses = np.where(np.arange(ROWS) >= 700, 20, 0)
    assert judge(_evidence(35, 25, uses=uses), _rules()).verdict == "not_enough_fresh_data"


@pytest.mark.parametrize("name", ["latency_ms", "calibration_error", "size_mb"])
def test_a_broken_guardrail_blocks(name: str):
    """However good the answers, each limit holds."""
    measured = Measured(latency_ms=0.5, calibration_error=0.5, size_mb=0.5)
    report = judge(_evidence(60, 20, measured=measured), _rules(**{f"max_{name}": 0.4}))
    assert report.verdict == "keep"
    assert f"{name} is 0.5 and the limit is 0.4" in report.reason


def test_a_limit_on_what_was_not_measured_is_an_error():
    """A guardrail can not be passed by not measuring."""
    with pytest.raises(DataError, match="max_latency_ms is set but latency_ms was not measured"):
        judge(_evidence(60, 20), _rules(max_latency_ms=5))


def test_a_first_version_beats_every_baseline():
    """It is promoted only if each paired test with a baseline is won."""
    challenger, weak = _versions(60, 20)
    strong = challenger
    current = np.ones(ROWS, dtype=bool)
    first = GateEvidence(challenger, None, current, baselines={"weak": weak})
    assert judge(first, _rules()).verdict == "promote"
    both = GateEvidence(challenger, None, current, baselines={"weak": weak, "strong": strong})
    report = judge(both, _rules())
    assert report.verdict == "keep"
    assert "not better than baseline strong" in report.reason
    assert {test.name: test.passed for test in report.baselines} == {"weak": True, "strong": False}


def test_a_first_version_without_baselines_is_an_error():
    """Nothing to beat is no proof."""
    evidence = GateEvidence(_versions(60, 20)[0], None, np.ones(ROWS, dtype=bool))
    with pytest.raises(DataError, match="none is given"):
        judge(evidence, _rules())


def test_outcomes_of_different_rows_are_refused():
    """A comparison needs the same rows."""
    with pytest.raises(DataError, match="champion has 10 rows and the challenger 1000"):
        _evidence(1, 0, champion=_outcomes(np.ones(10, dtype=bool)))


def test_f1_is_judged_by_randomization():
    """With counts of entities the same rules run on micro F1."""
    generator = np.random.default_rng(0)
    truth = generator.integers(1, 4, 400)
    good, bad = generator.binomial(truth, 0.9), generator.binomial(truth, 0.8)
    versions = [
        Outcomes(np.stack([hits, truth - hits, truth - hits], axis=1), hits == truth) for hits in (good, bad)
    ]
    evidence = GateEvidence(versions[0], versions[1], np.ones(400, dtype=bool), metric="f1")
    report = judge(evidence, _rules())
    assert report.verdict == "promote"
    assert report.superiority is not None
    assert report.superiority.method == "paired approximate randomization"
    assert report == judge(evidence, _rules())


def test_equal_versions_are_rarely_promoted():
    """Of 300 challengers as good as the champion at most 5 % are promoted (99.9 % limit: 27)."""
    generator = np.random.default_rng(1)
    promoted = 0
    for _ in range(300):
        draws = generator.random(500)
        evidence = GateEvidence(
            _outcomes((draws < 0.05) | (draws >= 0.1)), _outcomes(draws >= 0.05), np.ones(500, dtype=bool)
        )
        promoted += judge(evidence, _rules(typical_change=None)).verdict == "promote"
    assert promoted <= 27


@given(wins=st.integers(0, 60), losses=st.integers(0, 60))
def test_turning_a_loss_into_a_win_never_hurts(wins: int, losses: int):
    """A better challenger's verdict is never further from promotion."""
    order = {"keep": 0, "not_enough_data": 1, "promote": 2}
    verdict: Callable[[int, int], int] = lambda w, x: order[judge(_evidence(w, x, 400), _rules()).verdict]  # noqa: E731
    assert verdict(wins + 1, max(losses - 1, 0)) >= verdict(wins, losses)
