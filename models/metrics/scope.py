"""Scores of telling rows that are none of the classes."""

import numpy as np
import pyarrow as pa

from models.adapters import TaskAdapter
from models.metrics.bootstrap import interval, score_counts
from models.schemas import Metric

_MOST_STEPS = 1000
_PASSING = 0.95


def score_scope(adapter: TaskAdapter, rows: pa.Table, predictions: pa.Table) -> dict[str, Metric]:
    """Score classes and out-of-scope apart, and how well the rows are ranked whatever the threshold.

    Args:
        adapter: The agent's task adapter, whose description names `out_of_scope`.
        rows: Held-out rows with `label`.
        predictions: `label` for the same rows, and `in_scope` where the model knows of it.

    Returns:
        Of the rows of a class, accuracy and the share not taken for out of scope; of the others, the recall,
        the area under the ROC curve, and the recall at the threshold that 95 % of the classes' rows pass.
        Without rows out of scope, none of these three.
    """
    outcomes, seed = adapter.outcomes(rows, predictions), adapter.config.seed
    outside = rows["label"].to_numpy().astype(str) == adapter.config.out_of_scope
    passed = predictions["label"].to_numpy().astype(str)[~outside] != adapter.config.out_of_scope
    scores = {
        "in_scope_accuracy": score_counts(outcomes.counts[~outside], seed),
        "in_scope_passed": score_counts(np.stack([passed, ~passed, ~passed], axis=1).astype(np.int64), seed),
    }
    if not outside.any():
        return scores
    scores["out_of_scope_recall"] = score_counts(outcomes.counts[outside], seed)
    if "in_scope" in predictions.column_names and not outside.all():
        counts = _ranked(predictions["in_scope"].to_numpy(), outside)
        scores["out_of_scope_auroc"] = interval(None, counts, auroc, seed)
        scores["out_of_scope_recall_at_95"] = interval(None, counts, recall_at_95, seed)
    return scores


def auroc(counts: np.ndarray) -> np.ndarray:
    """Give the chance that a row out of scope is ranked below one of a class; a tie counts half.

    Args:
        counts: (..., 2 * steps) rows of a class at each step of the score, ascending, then rows out of scope.
    """
    inside, outside = np.split(counts, 2, axis=-1)
    above = inside.sum(axis=-1, keepdims=True) - np.cumsum(inside, axis=-1)
    won = (outside * (above + inside / 2)).sum(axis=-1)
    return _share(won, inside.sum(axis=-1) * outside.sum(axis=-1))


def recall_at_95(counts: np.ndarray) -> np.ndarray:
    """Give the share of rows out of scope below the highest threshold that 95 % of the classes' rows pass.

    Args:
        counts: As `auroc` takes them.
    """
    inside, outside = np.split(counts, 2, axis=-1)
    most = (1.0 - _PASSING) * inside.sum(axis=-1, keepdims=True)
    turned_away = np.cumsum(inside, axis=-1) <= most + 1e-9
    return _share((outside * turned_away).sum(axis=-1), outside.sum(axis=-1))


def _ranked(scores: np.ndarray, outside: np.ndarray) -> np.ndarray:
    """Count both kinds of rows at each distinct score; above 1,000 of them, neighbours count as one."""
    distinct, place = np.unique(scores, return_inverse=True)
    steps = min(len(distinct), _MOST_STEPS)
    place = place * steps // len(distinct)
    return np.concatenate(
        [np.bincount(place[~outside], minlength=steps), np.bincount(place[outside], minlength=steps)]
    )


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    share: np.ndarray = part / np.maximum(whole, 1)
    return share
