"""Baselines for any number of labels a text."""

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
import pyarrow as pa
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # carries no types

from models.adapters.label_lists import indicators, label_lists
from models.baselines.base import sample_rows
from models.baselines.text import word_vectorizer
from models.ragged import Ragged


class CommonestLabels:
    """Answer the commonest set of labels; how common each label was is the confidence.

    Args:
        labels: The agent's labels in order.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels = tuple(labels)
        self._set = np.zeros(len(self._labels), bool)
        self._shares = np.zeros(len(self._labels))

    def fit(self, rows: pa.Table) -> Self:
        """Count sets of labels."""
        found = indicators(rows["labels"].combine_chunks(), self._labels)
        if len(found):
            sets, counts = np.unique(found, axis=0, return_counts=True)
            self._set, self._shares = sets[counts.argmax()], found.mean(axis=0)
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give every row the same answer."""
        every = (rows.num_rows, 1)
        return _answers(np.tile(self._set, every), np.tile(self._shares, every), self._labels)


class TfidfLabels:
    """TF-IDF of words and word pairs with a logistic regression a label (binary relevance).

    Args:
        labels: The agent's labels in order.
        seed: Seed of the sample of training rows.
        most_rows: Training rows beyond this number are left out.
    """

    def __init__(self, labels: Sequence[str], seed: int, most_rows: int = 20_000) -> None:
        self._labels, self._seed, self._most_rows = tuple(labels), seed, most_rows
        self._shares = np.zeros(len(self._labels))
        self._vectorizer: TfidfVectorizer | None = None
        self._classifiers: dict[int, Any] = {}

    def fit(self, rows: pa.Table) -> Self:
        """Fit on a sample; a label that every row has, or none, needs no regression."""
        rows = sample_rows(rows, self._most_rows, self._seed)
        found = indicators(rows["labels"].combine_chunks(), self._labels)
        self._shares = found.mean(axis=0) if len(found) else self._shares
        self._classifiers, self._vectorizer = {}, None
        texts = rows["text"].to_pylist()
        if not any(text.strip() for text in texts):
            return self
        self._vectorizer = word_vectorizer(rows.num_rows)
        # The arrays are small: threads that wait for each other cost thirty times the work.
        with threadpool_limits(1):
            features = self._vectorizer.fit_transform(texts)  # type: ignore[no-untyped-call]
            for label in np.flatnonzero((self._shares > 0) & (self._shares < 1)).tolist():
                # scikit-learn carries no types.
                classifier = LogisticRegression(C=5.0, max_iter=300)  # type: ignore[no-untyped-call]
                self._classifiers[label] = classifier.fit(features, found[:, label])
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Answer every label that is likelier than not."""
        chances = np.tile(self._shares, (rows.num_rows, 1))
        if self._vectorizer is not None and rows.num_rows:
            texts = rows["text"].to_pylist()
            features = self._vectorizer.transform(texts)  # type: ignore[no-untyped-call]
            for label, classifier in self._classifiers.items():
                chances[:, label] = classifier.predict_proba(features)[:, 1]
        return _answers(chances > 0.5, chances, self._labels)


def _answers(found: np.ndarray, chances: np.ndarray, labels: tuple[str, ...]) -> pa.Table:
    """Turn (rows, labels) answers and probabilities into prediction columns."""
    sizes = np.full(len(chances), len(labels))
    sure = np.maximum(chances, 1 - chances).min(axis=1, initial=1.0)
    return pa.table(
        {
            "labels": label_lists(found, labels),
            "confidence": pa.array(sure, pa.float64()),
            "probabilities": Ragged.from_lengths(chances.ravel(), sizes).to_arrow(pa.float64()),
        }
    )
