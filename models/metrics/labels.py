"""Scores where the answer is one label a row."""

import numpy as np
import pyarrow as pa
from sklearn.metrics import precision_recall_fscore_support

from models.adapters import TaskAdapter
from models.metrics.bootstrap import interval, label_kinds, macro_f1, score_counts
from models.metrics.scope import score_scope
from models.metrics.scores import Scores, confusion_matrix, index_of


def score_labels(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score accuracy and macro F1, each label, the confusion matrix and the confidence.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `label`.
        predictions: `label` and `confidence` for the same rows.
    """
    outcomes = adapter.outcomes(rows, predictions)
    names, seed = adapter.outputs, adapter.config.seed
    truth, predicted = index_of(rows["label"], names), index_of(predictions["label"], names)
    lines, confusion = confusion_matrix(truth, predicted, names)
    scope = score_scope(adapter, rows, predictions) if adapter.config.out_of_scope else {}
    return Scores(
        metrics={
            "accuracy": score_counts(outcomes.counts, seed),
            "macro_f1": interval(*label_kinds(confusion, len(names)), macro_f1, seed),
            **scope,
        },
        per_label=_per_label(truth, predicted, names),
        confusion_labels=lines,
        confusion=confusion,
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )


def _per_label(
    truth: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    scores = precision_recall_fscore_support(
        truth, predicted, labels=np.arange(len(names)), average=None, zero_division=0
    )
    table = np.stack([np.asarray(column, dtype=float) for column in scores], axis=1)
    keys = ("precision", "recall", "f1", "rows")
    return {
        name: dict(zip(keys, line, strict=True)) for name, line in zip(names, table.tolist(), strict=True)
    }
