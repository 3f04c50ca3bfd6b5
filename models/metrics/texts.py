"""Scores where the answer is a text: the mean closeness with an interval, and the corpus' scores."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.adapters.writing import Writing
from models.metrics.bootstrap import score_counts
from models.metrics.perplexity import perplexity
from models.metrics.scores import Scores
from models.schemas import Metric


def score_texts(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Scores:
    """Score what was written; there is no confusion to show.

    A corpus score has the interval of the scores of resampled corpora. `perplexity`, of the true texts, is
    told where the predictions say how likely these are.

    Args:
        adapter: The agent's task adapter, one that writes.
        rows: Held-out rows with the texts to write.
        predictions: What was written for the same rows, and its `confidence`.

    Raises:
        TypeError: The adapter does not write.
    """
    if not isinstance(adapter, Writing):
        raise TypeError(f"{adapter.name} writes no texts; its scorer is {adapter.scorer!r}.")
    truth, written = adapter.pairs(rows, predictions)
    seed = adapter.config.seed
    each = adapter.closeness(truth, written)
    means = {name: score_counts(np.stack([s, 1 - s, 1 - s], axis=1), seed) for name, s in each.items()}
    surprise = {"perplexity": perplexity(predictions, seed)} if "nll" in predictions.column_names else {}
    return Scores(
        metrics=means | _resampled(adapter, truth, written) | surprise,
        per_label={},
        confusion_labels=(),
        confusion=np.zeros((0, 0), np.int64),
        confidence=predictions["confidence"].to_numpy(),
        right=adapter.outcomes(rows, predictions).counts[:, 0],
    )


_RESAMPLES = 100
"""Resampled corpora: each is scored as a whole, which is too slow for thousands."""


def _resampled(adapter: Writing, truth: list[str], written: list[str]) -> dict[str, Metric]:
    values = adapter.corpus(truth, written)
    rng, count = np.random.default_rng(adapter.config.seed), len(truth)
    found: dict[str, list[float]] = {name: [] for name in values}
    for _ in range(_RESAMPLES if values else 0):
        drawn = rng.integers(0, count, count)
        again = adapter.corpus([truth[i] for i in drawn], [written[i] for i in drawn])
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
