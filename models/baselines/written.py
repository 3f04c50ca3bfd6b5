"""Baselines for tasks whose answer is a text."""

import re
from typing import Any, Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from sklearn.feature_extraction.text import TfidfVectorizer
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]  # carries no types

from models.adapters import TaskAdapter
from models.baselines.base import sample_rows

_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_ROWS_AT_ONCE = 512


class Copy:
    """Answer with the input itself.

    Args:
        adapter: The agent's task adapter.
    """

    def __init__(self, adapter: TaskAdapter) -> None:
        self._adapter = adapter

    def fit(self, rows: pa.Table) -> Self:
        """Learn nothing."""
        del rows
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give each row's text back."""
        return _answers(self._adapter, pc.fill_null(self._adapter.texts(rows), ""), np.ones(rows.num_rows))


class Lead(Copy):
    """Answer with the first sentence of the input."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give each text up to its first end of a sentence."""
        texts = pc.fill_null(self._adapter.texts(rows), "").to_pylist()
        first = [_SENTENCE.split(text.strip(), maxsplit=1)[0] for text in texts]
        return _answers(self._adapter, pa.array(first, pa.string()), np.ones(rows.num_rows))


class Commonest(Copy):
    """Answer with the training rows' commonest text, the first of those that are as common."""

    def fit(self, rows: pa.Table) -> Self:
        """Count the texts."""
        counts = pc.value_counts(pc.fill_null(rows[self._adapter.truth()], ""))
        self._text = counts.field(0)[int(np.argmax(counts.field(1).to_numpy()))].as_py()
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give that text for each row."""
        texts = pa.repeat(pa.scalar(self._text, pa.string()), rows.num_rows)
        return _answers(self._adapter, texts, np.ones(rows.num_rows))


class EmptyList(Copy):
    """Answer with an empty list, as a state in which nothing was said."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """Give it for each row."""
        kind = self._adapter.columns().field(self._adapter.truth()).type
        offsets = pa.array(np.zeros(rows.num_rows + 1), pa.int32())
        empty = pa.ListArray.from_arrays(offsets, pa.array([], kind.value_type))
        return _answers(self._adapter, empty, np.ones(rows.num_rows))


class Nearest:
    """Answer what was right for the training row whose words are most alike, by the cosine of TF-IDF.

    Args:
        adapter: The agent's task adapter.
        most_rows: Training rows beyond this number are left out.
    """

    def __init__(self, adapter: TaskAdapter, most_rows: int = 20_000) -> None:
        self._adapter, self._most_rows = adapter, most_rows
        # Punctuation counts as words.
        options: dict[str, Any] = {"token_pattern": r"\w+|[^\w\s]+", "sublinear_tf": True}
        self._words: Any = TfidfVectorizer(**options)  # type: ignore[no-untyped-call]  # carries no types

    def fit(self, rows: pa.Table) -> Self:
        """Keep the training rows, or a sample of them."""
        rows = sample_rows(rows, self._most_rows, self._adapter.config.seed)
        nothing: Any = "" if pa.types.is_string(rows[self._adapter.truth()].type) else []
        self._targets = pc.fill_null(rows[self._adapter.truth()].combine_chunks(), nothing)
        self._known = self._words.fit_transform(self._adapter.texts(rows).to_pylist())
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Look each row up; how alike the two are is the confidence."""
        texts = pc.fill_null(self._adapter.texts(rows), "").to_pylist()
        best, alike = np.zeros(len(texts), np.int64), np.zeros(len(texts))
        with threadpool_limits(1):
            for first in range(0, len(texts), _ROWS_AT_ONCE):
                part = slice(first, first + _ROWS_AT_ONCE)
                found = (self._words.transform(texts[part]) @ self._known.T).toarray()
                best[part], alike[part] = found.argmax(axis=1), found.max(axis=1)
        return _answers(self._adapter, self._targets.take(pa.array(best)), np.clip(alike, 0, 1))


def _answers(adapter: TaskAdapter, texts: pa.Array | pa.ChunkedArray, confidence: np.ndarray) -> pa.Table:
    return pa.table({adapter.truth(): texts, "confidence": pa.array(confidence, pa.float64())})
