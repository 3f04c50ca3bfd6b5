"""Baselines where the answer is one of the row's own choices."""

from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # carries no types

from models.adapters.choices import choices_of, choose
from models.baselines.base import sample_rows
from models.baselines.text import word_vectorizer

_SURE = 10.0
"""By how much a softmax is sharpened, so that cosines tell choices apart."""


class LongestChoice:
    """Answer with the longest choice, which writers of tests often make the right one."""

    def fit(self, rows: pa.Table) -> Self:
        """Learn nothing."""
        del rows
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Compare lengths."""
        choices = choices_of(rows)
        lengths = pc.utf8_length(choices.flatten()).to_numpy(zero_copy_only=False)
        return choose(choices, np.log(np.maximum(lengths, 1)))


class LikestChoice:
    """Answer with the choice whose words are most like the question's, by the cosine of TF-IDF.

    Args:
        seed: Seed of the sample of training rows.
        most_rows: Training rows beyond this number are left out.
    """

    def __init__(self, seed: int, most_rows: int = 20_000) -> None:
        self._seed, self._most_rows = seed, most_rows
        self._vectorizer: TfidfVectorizer | None = None

    def fit(self, rows: pa.Table) -> Self:
        """Weigh words by how rare they are in questions and choices."""
        rows = sample_rows(rows, self._most_rows, self._seed)
        texts = [*rows["question"].to_pylist(), *choices_of(rows).flatten().to_pylist()]
        if any(text.strip() for text in texts):
            self._vectorizer = word_vectorizer(1)
            with threadpool_limits(1):
                self._vectorizer.fit(texts)
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Compare each choice with its question."""
        choices = choices_of(rows)
        counts = pc.list_value_length(choices).to_numpy(zero_copy_only=False)
        alike = np.zeros(int(counts.sum()))
        if self._vectorizer is not None and len(alike):
            questions, texts = rows["question"].to_pylist(), choices.flatten().to_pylist()
            question = self._vectorizer.transform(questions)  # type: ignore[no-untyped-call]
            choice = self._vectorizer.transform(texts)  # type: ignore[no-untyped-call]
            owners = np.repeat(np.arange(len(choices)), counts)
            alike = np.asarray(question[owners].multiply(choice).sum(axis=1)).ravel()
        return choose(choices, _SURE * alike)
