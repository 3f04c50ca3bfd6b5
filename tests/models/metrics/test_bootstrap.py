"""Intervals by bootstrap."""

import numpy as np
import pytest
from scipy.stats import binom, bootstrap
from sklearn.metrics import f1_score

from models.metrics.bootstrap import interval, label_kinds, macro_f1, precision, recall, score_counts


def _right(hits: int, rows: int) -> np.ndarray:
    answers = np.arange(rows) < hits
    return np.stack([answers, ~answers, ~answers], axis=1).astype(np.int64)


def test_accuracy_has_the_binomial_interval():
    """Resampling right and wrong rows is drawing from a binomial."""
    metric = score_counts(_right(160, 200), seed=0)
    assert metric.value == pytest.approx(0.8)
    assert metric.low == pytest.approx(binom.ppf(0.025, 200, 0.8) / 200, abs=0.011)
    assert metric.high == pytest.approx(binom.ppf(0.975, 200, 0.8) / 200, abs=0.011)
    assert metric.rows == 200


def test_f1_agrees_with_resampling_rows():
    """Drawing kinds of rows gives the interval that drawing rows gives."""
    counts = np.random.default_rng(0).integers(0, 4, (150, 3))
    metric = score_counts(counts, seed=1)

    def f1(index: np.ndarray, axis: int = -1) -> np.ndarray:
        hits, false, missed = counts[index.astype(int)].sum(axis=axis - 1).T
        return (2 * hits / (2 * hits + false + missed)).T

    rows = np.arange(150)
    by_rows = bootstrap((rows,), f1, method="percentile", rng=np.random.default_rng(2), n_resamples=2000)
    assert metric.low == pytest.approx(by_rows.confidence_interval.low, abs=0.01)
    assert metric.high == pytest.approx(by_rows.confidence_interval.high, abs=0.01)


def test_the_interval_covers_as_often_as_it_says():
    """Of 300 samples of 200 rows, about 95 % of the intervals hold the true accuracy."""
    generator = np.random.default_rng(3)
    hits = generator.binomial(200, 0.8, 300)
    metrics = [score_counts(_right(int(h), 200), seed=i) for i, h in enumerate(hits)]
    covered = np.mean([m.low <= 0.8 <= m.high for m in metrics])
    assert 0.9 <= covered <= 0.99


def test_macro_f1_agrees_with_sklearn():
    """Out of a confusion matrix comes scikit-learn's macro F1; a label that never occurs is left out."""
    generator = np.random.default_rng(4)
    truth, predicted = generator.integers(0, 3, (2, 100))
    kinds, frequencies = label_kinds(np.bincount(truth * 4 + predicted, minlength=16).reshape(4, 4), 4)
    assert float(macro_f1(frequencies @ kinds)) == pytest.approx(f1_score(truth, predicted, average="macro"))


def test_precision_and_recall_by_hand():
    """6 true, 2 false positives and 3 misses are a precision of 6 / 8 and a recall of 6 / 9."""
    counts = np.array([6, 2, 3])
    assert float(precision(counts)) == pytest.approx(6 / 8)
    assert float(recall(counts)) == pytest.approx(6 / 9)


def test_no_rows_score_nothing():
    """Without rows the score is 0 of 0 rows, not an error."""
    metric = score_counts(np.zeros((0, 3), dtype=np.int64), seed=0)
    assert (metric.value, metric.rows) == (0, 0)


def test_same_seed_same_interval():
    """An interval depends on nothing but its arguments."""
    kinds, frequencies = np.eye(3), np.array([5, 6, 7])
    first, again = (interval(kinds, frequencies, lambda s: s[..., 0] / 18, 5) for _ in range(2))
    assert first == again
