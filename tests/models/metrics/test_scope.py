"""Scores of telling rows that are none of the classes."""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from sklearn.metrics import roc_auc_score, roc_curve

from models.adapters import get_adapter
from models.metrics.labels import score_labels
from models.metrics.scope import auroc, recall_at_95, score_scope
from models.schemas import AgentConfig

FIELDS = {"labels": ("a", "b", "oos"), "out_of_scope": "oos"}


def _scored(count: int) -> tuple[pa.Table, pa.Table]:
    rng = np.random.default_rng(0)
    truth = rng.choice(["a", "b", "oos"], count)
    in_scope = 1 / (1 + np.exp(-rng.normal(np.where(truth == "oos", -1, 1))))
    predicted = np.where(in_scope > 0.5, "a", "oos")
    rows = pa.table({"label": truth})
    return rows, pa.table({"label": predicted, "confidence": in_scope, "in_scope": in_scope})


def test_the_area_is_scikit_learns(make_config: Callable[..., AgentConfig]):
    """Up to a thousand distinct scores it is the same, and above within the ties that are made."""
    for count, close in ((900, 1e-9), (5000, 1e-3)):
        rows, predictions = _scored(count)
        found = score_scope(get_adapter(make_config(**FIELDS)), rows, predictions)
        inside = np.array(rows["label"].to_pylist()) != "oos"
        expected = roc_auc_score(inside, predictions["in_scope"].to_numpy())
        assert found["out_of_scope_auroc"].value == pytest.approx(expected, abs=close)
        assert found["out_of_scope_auroc"].low < expected < found["out_of_scope_auroc"].high


def test_the_recall_is_read_off_the_roc_curve(make_config: Callable[..., AgentConfig]):
    """At the highest threshold that 95 % of the classes' rows pass."""
    rows, predictions = _scored(900)
    found = score_scope(get_adapter(make_config(**FIELDS)), rows, predictions)
    outside = np.array(rows["label"].to_pylist()) == "oos"
    lost, caught, _ = roc_curve(outside, -predictions["in_scope"].to_numpy(), drop_intermediate=False)
    assert found["out_of_scope_recall_at_95"].value == pytest.approx(caught[lost <= 0.05].max())


def test_ties_count_half():
    """Rows of both kinds at one score are told apart by a coin."""
    assert auroc(np.array([4, 3])) == pytest.approx(0.5)
    assert recall_at_95(np.array([0, 9, 5, 0])) == 1.0


def test_both_kinds_of_rows_are_scored_apart(make_config: Callable[..., AgentConfig]):
    """Accuracy in scope counts rows of a class alone, the recall those of none."""
    rows = pa.table({"label": ["a", "b", "oos", "oos"]})
    answers = pa.table({"label": ["a", "a", "oos", "b"], "confidence": [0.9, 0.9, 0.9, 0.9]})
    metrics = score_labels(get_adapter(make_config(**FIELDS)), rows, answers).metrics
    assert metrics["in_scope_accuracy"].value == metrics["out_of_scope_recall"].value == 0.5
    assert metrics["in_scope_passed"].value == 1
    assert "out_of_scope_auroc" not in metrics


def test_rows_of_classes_alone_have_no_recall(make_config: Callable[..., AgentConfig]):
    """A score is never invented."""
    rows = pa.table({"label": ["a"]})
    found = score_scope(get_adapter(make_config(**FIELDS)), rows, rows)
    assert list(found) == ["in_scope_accuracy", "in_scope_passed"]
