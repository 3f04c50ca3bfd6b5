"""Rows of different length end to end in few sequences, so that little of what is computed is padding.

Krell et al., "Efficient Sequence Packing without Cross-contamination", 2021, arXiv:2107.02027: each row
attends to itself alone. For hidden states, which know their positions already.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from models.learners import Inputs

NO_ROW = -1


@dataclass(frozen=True)
class Packing:
    """Which row's sub-words stand where in sequences of one length.

    Args:
        segments: (sequences, length) int64 position of the row, NO_ROW where there is none.
        places: (rows, length) int64 where each row's sub-words stand, counted over all sequences; past a
            row's end its last one.
    """

    segments: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, lengths: np.ndarray, length: int) -> Self:
        """Pack rows by first fit, the longest first.

        Args:
            lengths: (rows,) sub-words of each row, at least 1.
            length: Sub-words of a sequence.

        Raises:
            ValueError: A row has no sub-word, or more than a sequence.
        """
        wrong = np.flatnonzero((lengths < 1) | (lengths > length))
        if len(wrong):
            raise ValueError(
                f"Row {wrong[0]} has {lengths[wrong[0]]} sub-words; one to {length} of them fit a sequence."
            )
        begins = np.empty(len(lengths), np.int64)
        used = np.zeros(len(lengths), np.int64)
        for row in np.argsort(-lengths, kind="stable"):
            sequence = int(np.argmax(used + lengths[row] <= length))
            begins[row] = sequence * length + used[sequence]
            used[sequence] += lengths[row]
        segments = np.full((int((used > 0).sum()), length), NO_ROW)
        rows = np.repeat(np.arange(len(lengths)), lengths)
        inside = np.arange(len(rows)) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        segments.ravel()[np.repeat(begins, lengths) + inside] = rows
        places = begins[:, None] + np.minimum(np.arange(length), lengths[:, None] - 1)
        return cls(segments, places)

    @property
    def inputs(self) -> Inputs:
        """Give segments and places as tensors that stay right where packings follow each other.

        Returns:
            `segments`, `places`, 1 at the first sequence and 0 elsewhere (sequences,), 1 at the first row and
            0 elsewhere (rows,). `located` reads them.
        """
        sequences, rows = (torch.zeros(len(x), dtype=torch.int64) for x in (self.segments, self.places))
        sequences[:1] = rows[:1] = 1
        return torch.from_numpy(self.segments), torch.from_numpy(self.places), sequences, rows


def stacked_packings(read: Sequence[Inputs]) -> Inputs:
    """Stack states, mask, marks and `Packing.inputs` of several episodes, which may differ in sequences.

    Args:
        read: Of each episode; what is missing of the most sequences is at no row.
    """
    most = max(len(states) for states, *_ in read)

    def grown(x: Tensor, fill: int) -> Tensor:
        return torch.cat([x, x.new_full((most - len(x), *x.shape[1:]), fill)])

    even = [
        (grown(states, 0), mask, marks, grown(segments, NO_ROW), places, grown(sequences, 0), rows)
        for states, mask, marks, segments, places, sequences, rows in read
    ]
    return tuple(map(torch.stack, zip(*even, strict=True)))


def located(places: Tensor, sequences: Tensor, rows: Tensor, length: int) -> Tensor:
    """Count places over the sequences of all packings, not only of each row's own, (rows, length).

    Args:
        places: (rows, length) in each row's own packing.
        sequences: (sequences,) 1 where a packing begins.
        rows: (rows,) 1 where a packing begins.
        length: Places of a sequence.
    """
    before = (rows.cumsum(0)[:, None] > sequences.cumsum(0)).sum(1)
    return places + length * before[:, None]
