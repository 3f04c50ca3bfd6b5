"""Hidden states below the lowest learned layer, computed once for all rows and kept.

In memory up to a limit, then in a memory-mapped file that belongs to this process and is gone with it.
"""

from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryFile

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from models.kernels import fast_linears
from models.meta.cut import additive
from models.meta.packing import Packing
from models.ragged import Ragged

MEMORY_LIMIT = 2 << 30
"""Bytes of hidden states that stay in memory."""
_SUB_WORDS_AT_ONCE = 4096


class KeptStates:
    """The hidden states of rows, end to end.

    Args:
        values: (sub-words, width) float32.
        offsets: (rows + 1,) where each row begins.
    """

    def __init__(self, values: np.ndarray, offsets: np.ndarray) -> None:
        # A memory-mapped array that torch will not write to is fine for it; nothing here writes.
        self.values, self.offsets = torch.from_numpy(values), offsets

    def packed(self, rows: np.ndarray, packing: Packing) -> Tensor:
        """Give the states of some rows as (sequences, length, width); what stands at no row is of no use.

        Args:
            rows: Positions of the rows.
            packing: Where they stand.
        """
        places = np.full(packing.segments.size, self.offsets[rows[0]])
        lengths = np.diff(self.offsets)[rows]
        inside = np.arange(packing.places.shape[1]) < lengths[:, None]
        places[packing.places[inside]] = (self.offsets[rows][:, None] + np.arange(inside.shape[1]))[inside]
        return self.values[torch.from_numpy(places.reshape(packing.segments.shape))]


class Storage:
    """Where hidden states may lie.

    Args:
        folder: For memory-mapped files; None keeps everything in memory.
        limit: Bytes that stay in memory, of all that is kept here together.
    """

    def __init__(self, folder: Path | None = None, limit: int = MEMORY_LIMIT) -> None:
        self._folder, self._left = folder, limit

    def array(self, shape: tuple[int, int]) -> np.ndarray:
        """Make an array of float32, in memory or mapped."""
        size = 4 * shape[0] * shape[1]
        if self._folder is None or size <= self._left:
            self._left -= size
            return np.empty(shape, np.float32)
        # Nameless: it takes disk space as long as the array is there, and never outlives it.
        with TemporaryFile(dir=self._folder) as file:
            return np.memmap(file, np.float32, "w+", shape=shape)


@torch.no_grad()
def keep_states(
    below: PreTrainedModel,
    ids: Ragged,
    pad_id: int,
    storage: Storage | None = None,
    alive: Callable[[float], None] = lambda _: None,
) -> KeptStates:
    """Run the lower part of an encoder over all rows; what is kept is float32, under autocast too.

    Args:
        below: Gives `last_hidden_state`.
        ids: Sub-words of each row.
        pad_id: Sub-word that pads.
        storage: Where the states may lie.
        alive: Told the share that is done (fraction, 0-1), often.
    """
    values = (storage or Storage()).array((int(ids.offsets[-1]), int(below.config.hidden_size)))
    lengths = ids.lengths
    order = np.argsort(-lengths, kind="stable")
    first = 0
    with fast_linears(below):
        while first < len(order):
            rows = order[first : first + max(1, _SUB_WORDS_AT_ONCE // max(1, int(lengths[order[first]])))]
            first += len(rows)
            inside = np.arange(int(lengths[rows].max())) < lengths[rows][:, None]
            hidden = below(
                input_ids=torch.from_numpy(ids.padded(rows, pad_id)).to(below.device),
                attention_mask=additive(torch.from_numpy(inside.astype(np.float32)).to(below.device)),
            ).last_hidden_state
            places = ids.offsets[rows][:, None] + np.arange(inside.shape[1])
            values[places[inside]] = hidden.float().cpu().numpy()[inside]
            alive(first / len(order))
    return KeptStates(values, ids.offsets)
