"""Scores where the answer is a text: the mean closeness with an interval, and the corpus' scores."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.bootstrap import score_counts
from models.metrics.scores import Scores
from models.schemas import Metric


def score_texts(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score what was written; there is no confusion to show.

    A corpus score has the interval of the scores of resampled corpora.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows with the texts to write.
        predictions: What was written for the same rows, and its `confidence`.
    """
    outcomes, seed = adapter.outcomes(rows, predictions), adapter.config.seed
    values = adapter.metrics(rows, predictions)
    corpus = {name: value for name, value in values.items() if name != adapter.primary_metric}
    metrics = {adapter.primary_metric: score_counts(outcomes.counts, seed)}
    if corpus:
        metrics |= _resampled(adapter, rows, predictions, corpus)
    return Scores(
        metrics=metrics,
        per_label={},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=outcomes.exact,
    )


_RESAMPLES = 100
"""Resampled corpora: each is scored as a whole, which is too slow for thousands."""


def _resampled(
    adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table, values: dict[str, float]
) -> dict[str, Metric]:
    rng, count = np.random.default_rng(adapter.config.seed), rows.num_rows
    found: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(_RESAMPLES):
        drawn = pa.array(rng.integers(0, count, count))
        again = adapter.metrics(rows.take(drawn), predictions.take(drawn))
        for name, scores in found.items():
            scores.append(again[name])
    return {
        name: Metric(
            value=value,
            low=float(np.percentile(found[name], 2.5)),
            high=float(np.percentile(found[name], 97.5)),
            rows=count,
        )
        for name, value in values.items()
    }
