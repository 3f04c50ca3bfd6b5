"""List columns as flat numpy arrays with offsets, and back; nothing here knows what the numbers mean."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Self

import numpy as np
import pyarrow as pa


@dataclass(frozen=True)
class Ragged:
    """Sequences of different length, end to end.

    Args:
        values: (total,) all sequences one after the other.
        offsets: (sequences + 1,) int64, where each begins; the last entry is `total`.
    """

    values: np.ndarray
    offsets: np.ndarray

    @classmethod
    def from_column(cls, column: pa.ChunkedArray | pa.Array) -> Self:
        """Read a list column without null lists; zero-copy where it is one chunk of numbers."""
        array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        offsets = array.offsets.to_numpy().astype(np.int64)
        values = array.values[offsets[0] : offsets[-1]] if len(array) else array.values[:0]
        start = offsets[0] if len(offsets) else 0
        return cls(values.to_numpy(zero_copy_only=False), offsets - start)

    @classmethod
    def from_lengths(cls, values: np.ndarray, lengths: np.ndarray) -> Self:
        """Cut `values` into sequences of these lengths."""
        return cls(values, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))

    @classmethod
    def from_lists(cls, lists: Sequence[Sequence[int]]) -> Self:
        """Put lists of whole numbers end to end."""
        lengths = np.fromiter(map(len, lists), np.int64, len(lists))
        values = np.fromiter(chain.from_iterable(lists), np.int64, int(lengths.sum()))
        return cls.from_lengths(values, lengths)

    def followed_by(self, other: Self) -> Self:
        """Put each sequence of another behind the one that it belongs to."""
        order = np.argsort(np.concatenate([self.owners, other.owners]), kind="stable")
        values = np.concatenate([self.values, other.values])[order]
        return type(self).from_lengths(values, self.lengths + other.lengths)

    @property
    def lengths(self) -> np.ndarray:
        """Give the length of each sequence, (sequences,)."""
        return np.diff(self.offsets)

    @property
    def owners(self) -> np.ndarray:
        """Give the sequence each value belongs to, (total,)."""
        return np.repeat(np.arange(len(self.offsets) - 1), self.lengths)

    @property
    def places(self) -> np.ndarray:
        """Give each value's position within its sequence, (total,)."""
        places: np.ndarray = np.arange(len(self.values)) - np.repeat(self.offsets[:-1], self.lengths)
        return places

    def padded(self, chosen: np.ndarray, fill: int, *, left: bool = False) -> np.ndarray:
        """Give the chosen sequences as (chosen, longest) int64, `fill` after the end of each or before it."""
        part = Ragged.from_lengths(np.empty(0), self.lengths[chosen])
        out = np.full((len(chosen), int(part.lengths.max(initial=0))), fill, dtype=np.int64)
        cells = np.repeat(self.offsets[chosen] - part.offsets[:-1], part.lengths)
        inside = np.arange(out.shape[1]) < part.lengths[:, None]
        inside = inside[:, ::-1] if left else inside
        out[inside] = self.values[cells + np.arange(len(cells))]
        return out

    def keep(self, chosen: np.ndarray) -> Self:
        """Keep the sequences where `chosen` (bool) is True."""
        mask = np.repeat(chosen, self.lengths)
        return type(self).from_lengths(self.values[mask], self.lengths[chosen])

    def to_arrow(self, value_type: pa.DataType) -> pa.ListArray:
        """Make a list column; `value_type` is the type of its values."""
        return pa.ListArray.from_arrays(pa.array(self.offsets, pa.int32()), pa.array(self.values, value_type))
