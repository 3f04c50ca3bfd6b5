"""Scores where the answer is a part of a text: F1 of words and exact match."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.bootstrap import score_counts
from models.metrics.scores import Scores


def score_answers(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score F1 and exact match; there is no confusion to show.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `answers`.
        predictions: `answers` and `confidence` for the same rows.
    """
    outcomes, seed = adapter.outcomes(rows, predictions), adapter.config.seed
    exact = np.stack([outcomes.exact, ~outcomes.exact, ~outcomes.exact], axis=1).astype(np.int64)
    return Scores(
        metrics={"f1": score_counts(outcomes.counts, seed), "exact_match": score_counts(exact, seed)},
        per_label={},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )
