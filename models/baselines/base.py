"""What a baseline does: a plain method that every first version has to beat on the same rows."""

from typing import Protocol, Self

import numpy as np
import pyarrow as pa


class Baseline(Protocol):
    """A method that learns from labelled rows and answers in the adapter's prediction columns.

    Baselines are fitted anew for each evaluation and never stored.
    """

    def fit(self, rows: pa.Table) -> Self:
        """Learn from rows in a snapshot's schema."""

    def predict(self, rows: pa.Table) -> pa.Table:
        """Answer each row, in order."""


def sample_rows(rows: pa.Table, most: int, seed: int) -> pa.Table:
    """Take at most `most` rows at random, in their order, so that fitting stays quick."""
    if rows.num_rows <= most:
        return rows
    chosen = np.random.default_rng(seed).choice(rows.num_rows, most, replace=False)
    return rows.take(pa.array(np.sort(chosen), pa.int64()))
