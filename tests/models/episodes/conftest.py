"""Small pools: rows whose sub-words are their own number, so that a test sees which row it holds."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest

from models.adapters.base import IGNORED
from models.episodes import Pool
from models.ragged import Ragged


def _pool(counts: Sequence[int] = (12, 12, 12, 12, 12, 12), name: str = "source", domain: str = "") -> Pool:
    labels = np.repeat(np.arange(len(counts)), counts)
    total = len(labels)
    return Pool(
        name=name,
        domain=domain or name,
        kind="text_classification",
        classes=tuple(f"{name}-{i}" for i in range(len(counts))),
        ids=Ragged.from_lengths(np.repeat(np.arange(total), 3), np.full(total, 3)),
        labels=Ragged.from_lengths(labels, np.ones(total, np.int64)),
        marks=np.zeros((total, 0), np.int64),
        named=np.zeros(total, bool),
    )


def _tagged(rows: Sequence[Sequence[int]], types: Sequence[str], name: str = "tags") -> Pool:
    """Make a pool of tags from rows of classes a word, 0 outside; each word is one sub-word."""
    lengths = np.array([len(row) + 2 for row in rows])
    labels = np.concatenate([[IGNORED, *row, IGNORED] for row in rows])
    return Pool(
        name=name,
        domain=name,
        kind="token_classification",
        classes=tuple(types),
        ids=Ragged.from_lengths(np.repeat(np.arange(len(rows)), lengths), lengths),
        labels=Ragged.from_lengths(labels, lengths),
        marks=np.zeros((len(rows), 0), np.int64),
        named=np.zeros(len(rows), bool),
    )


@pytest.fixture
def make_pool() -> Callable[..., Pool]:
    """Give a function that makes a pool with so many rows of each class."""
    return _pool


@pytest.fixture
def make_tagged() -> Callable[..., Pool]:
    """Give a function that makes a pool of tags."""
    return _tagged
