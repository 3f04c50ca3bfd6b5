"""What the rules on slices make of the rows that are left of each slice."""

import numpy as np
import pytest

from models.adapters import Outcomes
from models.comparison import compare
from models.gating.evidence import REFERENCE
from models.gating.harm import Slice, SliceTests, judge_slices
from models.schemas import AgentConfig, SourceConfig

RULES = AgentConfig(
    name="agent",
    adapter="text_classification",
    labels=("no", "yes"),
    sources=(SourceConfig(address="rows.csv"),),
    min_slice_rows=50,
)


def _judged(rows: int, used_up: int, rules: AgentConfig = RULES, losses: int = 0) -> SliceTests:
    """Judge one slice: rows of it that are left, rows that are used up, rows that only the champion got."""
    champion = np.ones(rows, dtype=bool)
    versions = [
        Outcomes(np.stack([right, ~right, ~right], axis=1).astype(np.int64), right)
        for right in (np.arange(rows) >= losses, champion)
    ]
    comparison = compare(versions[0], versions[1], np.ones((1, rows), dtype=bool), "accuracy", 0)
    return judge_slices({"domain=a": Slice(comparison, 0, used_up)}, rules)


@pytest.mark.parametrize(("rows", "used_up"), [(10, 40), (0, 200), (49, 1)])
def test_a_slice_that_is_used_up_blocks(rows: int, used_up: int):
    """A slice that was large enough to judge and is not any more asks for fresh rows."""
    (finding,) = _judged(rows, used_up).findings
    assert (finding.against, finding.used_up, finding.needed_rows) == (False, True, 50)


def test_a_used_up_slice_names_the_ways_out():
    """The reason says what is missing and the two things that a person can do about it."""
    (finding,) = _judged(12, 340).findings
    assert finding.text == (
        "slice domain=a has 12 fresh held-out rows and 50 is the least (340 more have served 20 decisions "
        "and are used up; add labelled rows of it, or raise max_reuse)"
    )


@pytest.mark.parametrize(("rows", "used_up"), [(10, 39), (50, 500), (10, 0)])
def test_a_slice_that_is_not_used_up_does_not_block(rows: int, used_up: int):
    """One that always was too small is only listed, and one with enough fresh rows is judged on them."""
    assert _judged(rows, used_up).findings == []


def test_a_used_up_slice_is_listed_as_too_small():
    """What is left of it can be read in the report."""
    assert _judged(10, 40).too_small == {"domain=a": 10}


def test_a_protected_slice_that_is_used_up_is_asked_once():
    """Its own rule, non-inferiority on the rows that are left, says what is missing."""
    rules = RULES.model_copy(update={"protected_slices": {"domain=a": 0.01}})
    (finding,) = _judged(30, 100, rules).findings
    assert "not shown to be within 1.0 points" in finding.text
    assert finding.used_up


def test_a_protected_slice_without_fresh_rows_names_the_ways_out():
    """All its rows are used up: fresh ones, or a higher max_reuse, would do."""
    rules = RULES.model_copy(update={"protected_slices": {"domain=a": 0.01}})
    (finding,) = _judged(0, 100, rules).findings
    assert finding.used_up
    assert "add labelled rows of it, or raise max_reuse" in finding.text


def test_harm_on_the_rows_that_are_left_counts():
    """Enough fresh rows with a clear loss speak against the challenger, whatever was used up."""
    (finding,) = _judged(100, 900, losses=30).findings
    assert finding.against


def test_a_protected_reference_window_may_be_missing():
    """Where every row is current, there are no older rows on which a challenger could be worse."""
    assert _judged(100, 0, RULES.model_copy(update={"protected_slices": {REFERENCE: 0.01}})).findings == []
