"""Scores where the answer is one of the row's own choices."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.bootstrap import score_counts
from models.metrics.scores import Scores


def score_choices(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score accuracy and the confidence; choices are no labels, so there is nothing to confuse.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `answer`.
        predictions: `answer` and `confidence` for the same rows.
    """
    outcomes = adapter.outcomes(rows, predictions)
    return Scores(
        metrics={"accuracy": score_counts(outcomes.counts, adapter.config.seed)},
        per_label={},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )
