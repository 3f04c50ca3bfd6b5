"""Scores where the answer is any number of labels a row."""

import numpy as np
import pyarrow as pa
from sklearn.metrics import precision_recall_fscore_support

from models.adapters import TaskAdapter
from models.adapters.label_lists import indicators
from models.metrics.bootstrap import interval, macro_f1, precision, recall, score_counts
from models.metrics.scores import Scores


def score_label_sets(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score micro and macro F1, precision, recall and exact matches, each label, and the confidence.

    Labels are not taken for one another, so there is no confusion matrix.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `labels`.
        predictions: `labels` and `confidence` for the same rows.
    """
    outcomes, seed, names = adapter.outcomes(rows, predictions), adapter.config.seed, adapter.outputs
    truth, predicted = (indicators(one["labels"].combine_chunks(), names) for one in (rows, predictions))
    # What a row adds to each label's rows, answers and hits, as macro_f1 sums them.
    added = np.concatenate([truth, predicted, truth & predicted], axis=1).astype(np.int64)
    whole = np.stack([outcomes.exact, ~outcomes.exact, ~outcomes.exact], axis=1).astype(np.int64)
    return Scores(
        metrics={
            "f1": score_counts(outcomes.counts, seed),
            "macro_f1": interval(*np.unique(added, axis=0, return_counts=True), macro_f1, seed),
            "precision": score_counts(outcomes.counts, seed, precision),
            "recall": score_counts(outcomes.counts, seed, recall),
            "exact_match": score_counts(whole, seed),
        },
        per_label=_per_label(truth, predicted, names),
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )


def _per_label(
    truth: np.ndarray, predicted: np.ndarray, names: tuple[str, ...]
) -> dict[str, dict[str, float]]:
    scores = precision_recall_fscore_support(truth, predicted, average=None, zero_division=0)
    table = np.stack([np.asarray(column, dtype=float) for column in scores], axis=1)
    keys = ("precision", "recall", "f1", "rows")
    return {
        name: dict(zip(keys, line, strict=True)) for name, line in zip(names, table.tolist(), strict=True)
    }
