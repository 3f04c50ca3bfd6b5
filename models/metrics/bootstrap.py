"""95 % intervals by bootstrap over rows, without touching the rows twice.

Rows of the same kind (the same counts, or the same cell of a confusion matrix) are interchangeable, so
resampling rows is drawing how often each kind comes up: one multinomial a resample.
"""

from collections.abc import Callable

import numpy as np

from models.randomization import micro_f1
from models.schemas import Metric

RESAMPLES = 2_000
_MANY_KINDS, _DRAWS_AT_ONCE = 300, 1_000_000
_LEVELS = (2.5, 97.5)


def interval(
    kinds: np.ndarray | None,
    frequencies: np.ndarray,
    statistic: Callable[[np.ndarray], np.ndarray],
    seed: int,
) -> Metric:
    """Score a statistic of summed counts, with its percentile interval.

    Efron, "Bootstrap methods: another look at the jackknife", Annals of Statistics 7, 1979.

    Args:
        kinds: (kinds, columns) counts that a row of each kind adds; None where the sums are the rows of each
            kind themselves.
        frequencies: (kinds,) rows of each kind.
        statistic: Maps sums (..., columns) to scores (...,).
        seed: Seed of the resampling.
    """
    rows = int(frequencies.sum())
    value = float(statistic(_summed(frequencies, kinds)))
    if rows == 0:
        return Metric(value=value, low=value, high=value, rows=0)
    low, high = np.percentile(statistic(_resampled(kinds, frequencies, seed)), _LEVELS)
    return Metric(value=value, low=float(low), high=float(high), rows=rows)


def _resampled(kinds: np.ndarray | None, frequencies: np.ndarray, seed: int) -> np.ndarray:
    """Sum the counts of resampled rows, (resamples, columns)."""
    rng, rows = np.random.default_rng(seed), int(frequencies.sum())
    if kinds is None or len(kinds) <= _MANY_KINDS:
        return _summed(rng.multinomial(rows, frequencies / rows, size=RESAMPLES), kinds)
    # Where hardly two rows are alike, drawing rows is quicker, and a block of them keeps memory flat.
    owners, block = np.repeat(np.arange(len(kinds)), frequencies), max(1, _DRAWS_AT_ONCE // rows)
    parts = []
    for first in range(0, RESAMPLES, block):
        drawn = owners[rng.integers(0, rows, (min(block, RESAMPLES - first), rows))]
        parts.append(np.stack([column[drawn].sum(axis=1) for column in kinds.T], axis=1))
    return np.concatenate(parts)


def _summed(frequencies: np.ndarray, kinds: np.ndarray | None) -> np.ndarray:
    return frequencies if kinds is None else frequencies @ kinds


def score_counts(
    counts: np.ndarray, seed: int, statistic: Callable[[np.ndarray], np.ndarray] = micro_f1
) -> Metric:
    """Score rows by their true positives, false positives and false negatives, (rows, 3).

    Args:
        counts: As in `Outcomes`; there micro F1 is also the accuracy of answers that are right or wrong.
        seed: Seed of the resampling.
        statistic: Maps sums (..., 3) to scores (...,).
    """
    if len(counts) == 0:
        return interval(np.zeros((1, 3)), np.zeros(1, dtype=np.int64), statistic, seed)
    kinds, frequencies = np.unique(counts, axis=0, return_counts=True)
    return interval(kinds, frequencies, statistic, seed)


def precision(counts: np.ndarray) -> np.ndarray:
    """Give tp / (tp + fp) of counts (..., 3); 0 where nothing was found."""
    return _share(counts[..., 0], counts[..., 0] + counts[..., 1])


def recall(counts: np.ndarray) -> np.ndarray:
    """Give tp / (tp + fn) of counts (..., 3); 0 where nothing was to be found."""
    return _share(counts[..., 0], counts[..., 0] + counts[..., 2])


def label_kinds(confusion: np.ndarray, labels: int) -> tuple[np.ndarray, np.ndarray]:
    """Turn a confusion matrix into the kinds of rows that `macro_f1` sums, and how many there are of each.

    Args:
        confusion: (lines, lines) counts, truth by prediction.
        labels: Lines that are labels; an answer after them is wrong and adds to no label's answers.

    Returns:
        (kinds, 3 * labels) and (kinds,): what a row adds to its true label's rows, to its predicted label's
        answers and to the hits.
    """
    truth, predicted = np.nonzero(confusion)
    one = np.eye(len(confusion), labels, dtype=np.int64)
    hits = one[truth] * (truth == predicted)[:, None]
    return np.concatenate([one[truth], one[predicted], hits], axis=1), confusion[truth, predicted]


def macro_f1(sums: np.ndarray) -> np.ndarray:
    """Give the mean F1 of the labels that are there or were predicted.

    Args:
        sums: (..., 3 * labels) rows, answers and hits of each label, as in `label_kinds`.
    """
    rows, answers, hits = np.split(sums, 3, axis=-1)
    f1 = _share(2 * hits, rows + answers)
    return _share(f1.sum(axis=-1), (rows + answers > 0).sum(axis=-1))


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    share: np.ndarray = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=np.asarray(whole) > 0)
    return share
