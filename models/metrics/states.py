"""Scores where the answer is the state of a dialogue."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.adapters.dialogue_state import DialogueState
from models.metrics.bootstrap import score_counts
from models.metrics.perplexity import perplexity
from models.metrics.scores import Scores


def score_states(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score whole states, and slots with their values.

    Services that were seen and those that were not are told apart by the rows' `domain`, as slices.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with their states.
        predictions: What was written for the same rows.

    Raises:
        TypeError: The adapter writes no states.
    """
    if not isinstance(adapter, DialogueState):
        raise TypeError(f"{adapter.name} writes no states; its scorer is {adapter.scorer!r}.")
    outcomes, seed = adapter.outcomes(rows, predictions), adapter.config.seed
    metrics = {
        adapter.primary_metric: score_counts(outcomes.counts, seed),
        "slot_f1": score_counts(adapter.slot_counts(rows, predictions), seed),
    }
    if "nll" in predictions.column_names:
        metrics["perplexity"] = perplexity(predictions, seed)
    return Scores(
        metrics=metrics,
        per_label={},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )
