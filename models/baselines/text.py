"""Baselines for one label a text."""

from collections.abc import Callable, Sequence
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # carries no types

from models.baselines.base import sample_rows
from models.ragged import Ragged

Texts: TypeAlias = Callable[[pa.Table], pa.ChunkedArray]


def text_column(rows: pa.Table) -> pa.ChunkedArray:
    """Give the column `text`."""
    return rows["text"]


class Majority:
    """Answer the commonest label of the training rows; how common each was is the confidence.

    Args:
        labels: The agent's classes in order; ties go to the earlier one.
        seed: Not used; all baselines are made alike.
    """

    def __init__(self, labels: Sequence[str], seed: int) -> None:  # noqa: ARG002 - all are made alike
        self._labels = tuple(labels)
        self._shares = np.full(len(self._labels), 1 / len(self._labels))

    def fit(self, rows: pa.Table) -> Self:
        """Count the labels."""
        found = dict(zip(*np.unique(rows["label"].to_numpy().astype(str), return_counts=True), strict=True))
        counts = np.array([found.get(label, 0) for label in self._labels])
        if counts.sum():
            self._shares = counts / counts.sum()
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give every row the same answer."""
        return _answers(np.tile(self._shares, (rows.num_rows, 1)), self._labels)


class TfidfLogistic:
    """TF-IDF of words and word pairs with logistic regression (Salton & Buckley 1988; scikit-learn).

    Args:
        labels: The agent's classes in order.
        seed: Seed of the sample of training rows.
        texts: Gives each row's text.
        most_rows: Training rows beyond this number are left out.
    """

    def __init__(
        self, labels: Sequence[str], seed: int, texts: Texts = text_column, most_rows: int = 20_000
    ) -> None:
        self._texts = texts
        self._labels = tuple(labels)
        self._seed = seed
        self._most_rows = most_rows
        self._pipeline: Pipeline | Majority = Majority(labels, seed)

    def fit(self, rows: pa.Table) -> Self:
        """Fit on a sample; with a single label or without a word there is only the majority to learn."""
        rows = sample_rows(rows, self._most_rows, self._seed)
        texts, labels = self._texts(rows).to_pylist(), rows["label"].to_numpy().astype(str)
        has_words = any(text.strip() for text in texts)
        if len(set(labels.tolist())) < 2 or not has_words:
            self._pipeline = Majority(self._labels, self._seed).fit(rows)
            return self
        vectorizer = word_vectorizer(rows.num_rows)
        # scikit-learn carries no types.
        classifier = LogisticRegression(C=5.0, max_iter=300)  # type: ignore[no-untyped-call]
        pipeline = Pipeline([("words", vectorizer), ("classes", classifier)])  # type: ignore[no-untyped-call]
        # The arrays are small: threads that wait for each other cost thirty times the work.
        with threadpool_limits(1):
            self._pipeline = pipeline.fit(texts, labels)
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Answer by the likeliest class."""
        if isinstance(self._pipeline, Majority):
            return self._pipeline.predict(rows)
        probabilities = np.zeros((rows.num_rows, len(self._labels)))
        columns = [self._labels.index(label) for label in self._pipeline.classes_]
        if rows.num_rows:
            probabilities[:, columns] = self._pipeline.predict_proba(self._texts(rows).to_pylist())
        return _answers(probabilities, self._labels)


def word_vectorizer(rows: int) -> TfidfVectorizer:
    """Make TF-IDF of words and word pairs for that many texts."""
    words: dict[str, Any] = {
        "ngram_range": (1, 2),
        # Punctuation counts as words: ":)" and "!" carry mood.
        "token_pattern": r"\w+|[^\w\s]+",
        # What stands in one text only is left out, if there are texts enough.
        "min_df": 2 if rows >= 200 else 1,
    }
    return TfidfVectorizer(sublinear_tf=True, **words)  # type: ignore[no-untyped-call]


def _answers(probabilities: np.ndarray, labels: tuple[str, ...]) -> pa.Table:
    """Turn (rows, labels) probabilities into prediction columns."""
    best = probabilities.argmax(axis=1)
    sizes = np.full(len(probabilities), len(labels))
    return pa.table(
        {
            "label": pa.array(labels, pa.string()).take(pa.array(best, pa.int64())),
            "confidence": pa.array(probabilities[np.arange(len(best)), best], pa.float64()),
            "probabilities": Ragged.from_lengths(probabilities.ravel(), sizes).to_arrow(pa.float64()),
        }
    )
