"""From predictions on held-out rows to everything an EvaluationReport says about them.

What the gate reads back is the outcomes table: one line a row with `text_hash` (uint64), `tp`, `fp`, `fn`
(int64, or float64 where a row has a score), `exact` (bool), `confidence` (float64) and `slices`
(list<string>).
"""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from models.adapters import Outcomes, TaskAdapter
from models.errors import DataError
from models.metrics import SCORERS, calibration_error, reliability, score_counts
from models.schemas import Metric, ReliabilityBin, SliceScore
from models.slices import masks_of, name_slices

_MOST_REPEATS = 20


@dataclass(frozen=True)
class Evaluation:
    """The parts of an EvaluationReport that follow from predictions; the fields are named alike.

    Args:
        primary: Name of the metric that decides.
        metrics: Overall scores with intervals.
        per_label: Precision, recall, F1 and rows of each label.
        slices: The primary metric on each slice.
        confusion_labels: Names of the confusion matrix's lines and columns.
        confusion: Counts, truth by prediction.
        reliability: Groups of similar confidence.
        calibration_error: Expected calibration error (fraction, 0-1).
        outcomes: The table that the gate reads back.
    """

    primary: str
    metrics: dict[str, Metric]
    per_label: dict[str, dict[str, float]]
    slices: tuple[SliceScore, ...]
    confusion_labels: tuple[str, ...]
    confusion: tuple[tuple[int, ...], ...]
    reliability: tuple[ReliabilityBin, ...]
    calibration_error: float
    outcomes: pa.Table


def evaluate(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> Evaluation:
    """Score predictions in every way a report shows; intervals use the config's seed.

    Args:
        adapter: The agent's task adapter.
        rows: Held-out rows in a snapshot's schema, labelled.
        predictions: The adapter's prediction columns for the same rows, in their order.

    Raises:
        DataError: There are no rows, or they do not match the predictions.
    """
    if not rows.num_rows:
        raise DataError("There are no held-out rows to evaluate on; raise test_share or add rows.")
    scores = SCORERS[adapter.scorer](adapter, rows, predictions)
    bins = reliability(scores.confidence, scores.right)
    table = outcomes_table(adapter, rows, predictions)
    return Evaluation(
        primary=adapter.primary_metric,
        metrics=scores.metrics,
        per_label=scores.per_label,
        slices=score_slices(table, adapter.config.seed),
        confusion_labels=scores.confusion_labels,
        confusion=tuple(tuple(line) for line in scores.confusion.tolist()),
        reliability=bins,
        calibration_error=calibration_error(bins),
        outcomes=table,
    )


def outcomes_table(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> pa.Table:
    """Write down each row's outcome and slices; see the module's docstring."""
    outcomes = adapter.outcomes(rows, predictions)
    columns = dict(zip(("tp", "fp", "fn"), outcomes.counts.T, strict=True))
    return pa.table(
        {
            "text_hash": rows["text_hash"],
            **{name: pa.array(column) for name, column in columns.items()},
            "exact": pa.array(outcomes.exact),
            "confidence": predictions["confidence"],
            "slices": name_slices(rows, adapter),
        }
    )


def outcomes_of(table: pa.Table) -> Outcomes:
    """Read outcomes back from their table."""
    counts = np.stack([table[name].to_numpy() for name in ("tp", "fp", "fn")], axis=1)
    return Outcomes(counts, table["exact"].to_numpy())


def score_slices(table: pa.Table, seed: int) -> tuple[SliceScore, ...]:
    """Score the primary metric on each slice of an outcomes table, in order of their names."""
    counts = outcomes_of(table).counts
    return tuple(
        SliceScore(name=name, metric=score_counts(counts[mask], seed))
        for name, mask in masks_of(table["slices"]).items()
    )


def latency(predict: Callable[[pa.Table], Any], rows: pa.Table, batch: int, seconds: float = 2.0) -> float:
    """Measure the median time of one call, after a call to warm up.

    Args:
        predict: Called with `batch` rows at a time.
        rows: Rows to draw batches from, from the start and around again.
        batch: Rows a call.
        seconds: No new call starts after this time.

    Returns:
        Milliseconds.
    """
    predict(rows.slice(0, batch))
    times: list[float] = []
    end = time.perf_counter() + seconds
    while len(times) < _MOST_REPEATS and (not times or time.perf_counter() < end):
        first = len(times) * batch % max(1, rows.num_rows - batch + 1)
        start = time.perf_counter()
        predict(rows.slice(first, batch))
        times.append(time.perf_counter() - start)
    return 1000 * float(np.median(times))
