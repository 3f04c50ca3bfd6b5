"""Padded batches of windows as numpy arrays, straight from Arrow buffers; training and prediction use it."""

from dataclasses import dataclass
from typing import Self

import numpy as np
import pyarrow as pa

from models.ragged import Ragged


@dataclass(frozen=True)
class WindowReader:
    """Some windows' sub-words, and their marked places where they have some.

    Args:
        ids: Sub-words of each window.
        marks: Marked places of each window, or None.
        pad_id: Sub-word that pads.
    """

    ids: Ragged
    marks: Ragged | None
    pad_id: int

    @classmethod
    def of(cls, windows: pa.Table, pad_id: int, *, marked: bool) -> Self:
        """See windows in the adapter's schema; their `words` are their marks."""
        marks = Ragged.from_column(windows["words"]) if marked else None
        return cls(Ragged.from_column(windows["input_ids"]), marks, pad_id)

    @property
    def lengths(self) -> np.ndarray:
        """Give the sub-words of each window, (windows,)."""
        return self.ids.lengths

    def padded(self, windows: np.ndarray) -> dict[str, np.ndarray]:
        """Give int64 `input_ids`, `attention_mask` where one of them is padded, and `marks` if any.

        Args:
            windows: (chosen,) positions.
        """
        found = {"input_ids": self.ids.padded(windows, self.pad_id)}
        lengths, longest = self.lengths[windows], found["input_ids"].shape[1]
        if (lengths < longest).any():
            found["attention_mask"] = (np.arange(longest) < lengths[:, None]).astype(np.int64)
        if self.marks is not None:
            found["marks"] = self.marks.padded(windows, 0)
        return found
