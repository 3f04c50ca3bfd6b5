"""Scores where the answer is a list of relations a row."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.adapters.triples import count_triples, read_triples
from models.metrics.bootstrap import precision, recall, score_counts
from models.metrics.scores import Scores
from models.randomization import micro_f1


def score_triples(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score strict F1, precision and recall of relations, each label, and the confidence.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with `relations`.
        predictions: `relations` and `confidence` for the same rows.
    """
    outcomes, seed = adapter.outcomes(rows, predictions), adapter.config.seed
    columns = [one["relations"].combine_chunks() for one in (rows, predictions)]
    return Scores(
        metrics={
            "f1": score_counts(outcomes.counts, seed),
            "precision": score_counts(outcomes.counts, seed, precision),
            "recall": score_counts(outcomes.counts, seed, recall),
        },
        per_label={label: _of(label, *columns) for label in adapter.config.labels},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )


def _of(label: str, truth: pa.ListArray, predicted: pa.ListArray) -> dict[str, float]:
    """Score the relations of one label."""
    sums = count_triples(_with(label, truth), _with(label, predicted)).sum(axis=0)
    scores = {
        "precision": precision(sums),
        "recall": recall(sums),
        "f1": micro_f1(sums),
        "rows": sums[0] + sums[2],
    }
    return {name: float(value) for name, value in scores.items()}


def _with(label: str, column: pa.ListArray) -> pa.ListArray:
    found = read_triples(column)
    kept = pc.fill_null(pc.equal(found.labels, label), False)
    counts = np.bincount(found.rows, kept.to_numpy(zero_copy_only=False), len(column)).astype(np.int64)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    return pa.ListArray.from_arrays(offsets, column.flatten().filter(kept))
