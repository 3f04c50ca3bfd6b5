"""Padded batches of windows as numpy arrays, straight from Arrow buffers; training and prediction use it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from models.ragged import Ragged


@dataclass(frozen=True)
class Layout:
    """How windows lie in a batch.

    Args:
        marked: Their `words` are places of marked sub-words.
        together: The windows of a row stay in one batch.
        left: Shorter ones, and their labels, are filled up before their beginning.
        apart: Labels are texts of their own, which take their share of a batch's size.
    """

    marked: bool = False
    together: bool = False
    left: bool = False
    apart: bool = False


@dataclass(frozen=True)
class WindowReader:
    """Some windows' sub-words, and their marked places where they have some.

    Args:
        ids: Sub-words of each window.
        marks: Marked places of each window, or None.
        pad_id: Sub-word that pads.
        left: Whether shorter windows are filled up before their beginning.
    """

    ids: Ragged
    marks: Ragged | None
    pad_id: int
    left: bool = False

    @classmethod
    def of(cls, windows: pa.Table, pad_id: int, layout: Layout) -> Self:
        """See windows in the adapter's schema."""
        marks = Ragged.from_column(windows["words"]) if layout.marked else None
        return cls(Ragged.from_column(windows["input_ids"]), marks, pad_id, layout.left)

    @property
    def lengths(self) -> np.ndarray:
        """Give the sub-words of each window, (windows,)."""
        return self.ids.lengths

    def padded(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Give int64 `input_ids`, `attention_mask` where one of them is padded, and `marks` if any.

        Args:
            windows: (chosen,) positions.
        """
        found = {"input_ids": self.ids.padded(windows, self.pad_id, left=self.left)}
        lengths, longest = self.lengths[windows], found["input_ids"].shape[1]
        if (lengths < longest).any():
            mask = (np.arange(longest) < lengths[:, None]).astype(np.int64)
            found["attention_mask"] = mask[:, ::-1].copy() if self.left else mask
        if self.marks is not None:
            found["marks"] = self.marks.padded(windows, 0)
        return found
