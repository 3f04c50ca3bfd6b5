"""Baselines for texts."""

import pyarrow as pa
import pytest

from models.baselines import Majority, TfidfLogistic
from models.baselines.base import sample_rows

LABELS = ("neg", "neu", "pos")


def _rows(labels: list[str]) -> pa.Table:
    return pa.table({"text": [f"{label} text" for label in labels], "label": labels})


def test_majority_answers_the_commonest_label():
    """Its confidence is that label's share."""
    answers = Majority(LABELS, 0).fit(_rows(["neu", "pos", "pos", "neg"])).predict(_rows(["neg"]))
    assert answers.to_pylist() == [{"label": "pos", "confidence": 0.5, "probabilities": [0.25, 0.25, 0.5]}]


def test_a_tie_goes_to_the_earlier_label():
    """The order of the agent's labels decides."""
    answers = Majority(LABELS, 0).fit(_rows(["pos", "neu"])).predict(_rows(["neg"]))
    assert answers["label"].to_pylist() == ["neu"]


def test_a_label_that_was_not_seen_has_no_chance():
    """Probabilities stand in the order of the agent's labels."""
    answers = TfidfLogistic(LABELS, 0).fit(_rows(["pos", "neg"] * 5)).predict(_rows(["pos"]))
    assert answers["label"].to_pylist() == ["pos"]
    assert answers["probabilities"][0].as_py()[1] == 0


def test_texts_without_words_leave_the_majority():
    """Where there is nothing to count TF-IDF answers like the majority."""
    rows = pa.table({"text": ["", " ", ""], "label": ["pos", "neg", "pos"]})
    answers = TfidfLogistic(LABELS, 0).fit(rows).predict(rows)
    assert answers["label"].to_pylist() == ["pos"] * 3


def test_a_sample_keeps_the_order_and_the_seed():
    """Rows beyond the cap are left out at random, the same ones for the same seed."""
    rows = pa.table({"n": list(range(100))})
    first, again, other = (sample_rows(rows, 10, seed)["n"].to_pylist() for seed in (0, 0, 1))
    assert first == again == sorted(first)
    assert first != other
    assert len(first) == 10


def test_fewer_rows_than_the_cap_are_all_used():
    """Nothing is left out without need."""
    rows = pa.table({"n": [1, 2]})
    assert sample_rows(rows, 10, 0) is rows


@pytest.mark.parametrize("baseline", [Majority, TfidfLogistic])
def test_before_fitting_all_labels_are_equal(baseline: type[Majority] | type[TfidfLogistic]):
    """A baseline that has learned nothing is unsure."""
    answers = baseline(LABELS, 0).predict(_rows(["pos"]))
    assert answers["confidence"][0].as_py() == pytest.approx(1 / 3)
