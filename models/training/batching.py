"""Group windows into batches by token budget, and turn Arrow buffers into padded tensors.

What a batch is trained on, and how, belongs to `loop.py`.
"""

from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from models.adapters.base import IGNORED
from models.ragged import Ragged

_POOL_BATCHES = 50
"""Batches whose rows are sorted by length together: enough for little padding, few enough to mix."""

_Item = TypeVar("_Item")
_Made = TypeVar("_Made")


@dataclass(frozen=True)
class Batch:
    """Padded windows.

    Args:
        input_ids: (windows, longest) int64.
        attention_mask: (windows, longest) int64, or None where no window is padded.
        labels: (windows,) if the adapter pools, else (windows, longest); int64, IGNORED as padding.
        tokens: Sub-words without padding.
        targets: Labels that count, those that are not IGNORED.
    """

    input_ids: Tensor
    attention_mask: Tensor | None
    labels: Tensor
    tokens: int
    targets: int

    def to(self, device: torch.device) -> "Batch":
        """Move the tensors, without waiting where the memory is pinned."""
        if device.type == "cpu":
            return self
        mask = self.attention_mask
        return Batch(
            self.input_ids.to(device, non_blocking=True),
            None if mask is None else mask.to(device, non_blocking=True),
            self.labels.to(device, non_blocking=True),
            self.tokens,
            self.targets,
        )


def plan_batches(lengths: np.ndarray, tokens_per_batch: int, seed: int, epoch: int) -> list[np.ndarray]:
    """Put every window in one batch of at most `tokens_per_batch` sub-words, padding included.

    Windows are shuffled, sorted by length within pools of about 50 batches, cut by the budget, and the
    batches are shuffled. The plan depends on the arguments alone, so a resumed run finds the same one.

    Args:
        lengths: (windows,) sub-words of each window.
        tokens_per_batch: The budget; a longer window makes a batch of its own.
        seed: Seed of the run.
        epoch: Epoch, from 0.

    Returns:
        The windows' positions, one int64 array a batch.
    """
    rng = np.random.default_rng([seed, epoch])
    order = rng.permutation(len(lengths))
    per_batch = max(1, int(tokens_per_batch / max(1.0, float(lengths.mean())))) if len(lengths) else 1
    pool = np.arange(len(order)) // (per_batch * _POOL_BATCHES)
    order = order[np.lexsort((lengths[order], pool))]
    batches = _cut(order, lengths[order], tokens_per_batch)
    return [batches[i] for i in rng.permutation(len(batches))]


def padding_share(lengths: np.ndarray, batches: list[np.ndarray]) -> float:
    """Tell what share of the batches' cells is padding (fraction, 0-1)."""
    cells = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
    return 1.0 - float(lengths.sum()) / cells if cells else 0.0


def _cut(order: np.ndarray, lengths: np.ndarray, budget: int) -> list[np.ndarray]:
    """Cut a run of windows into the longest stretches whose padded size stays in the budget."""
    batches = []
    start = 0
    while start < len(order):
        span = lengths[start : start + max(1, budget // max(1, int(lengths[start])))]
        cells = np.maximum.accumulate(span) * np.arange(1, len(span) + 1)
        count = max(1, int(np.searchsorted(cells, budget, side="right")))
        batches.append(order[start : start + count])
        start += count
    return batches


class Collator:
    """Make padded batches straight from the Arrow buffers of encoded windows.

    Args:
        windows: Windows in ENCODED_SCHEMA.
        pad_id: Sub-word that pads.
        pools: Whether a window has one label (else one a sub-word).
        pin: Whether batches lie in pinned memory, for copies to a GPU.
    """

    def __init__(self, windows: pa.Table, pad_id: int, pools: bool, pin: bool = False) -> None:
        self._ids = Ragged.from_column(windows["input_ids"])
        self._labels = Ragged.from_column(windows["labels"])
        self._pad_id = pad_id
        self._pools = pools
        self._pin = pin
        self.lengths = self._ids.lengths

    def __call__(self, positions: np.ndarray) -> Batch:
        """Pad the windows at `positions` to the longest of them."""
        lengths = self.lengths[positions]
        padded = lengths < lengths.max()
        mask = (np.arange(int(lengths.max())) < lengths[:, None]).astype(np.int64) if padded.any() else None
        labels = (
            self._labels.values[self._labels.offsets[positions]].astype(np.int64)
            if self._pools
            else self._labels.padded(positions, IGNORED)
        )
        return Batch(
            self._tensor(self._ids.padded(positions, self._pad_id)),
            None if mask is None else self._tensor(mask),
            self._tensor(labels),
            int(lengths.sum()),
            int((labels != IGNORED).sum()),
        )

    def in_parts(self, positions: np.ndarray, parts: int) -> tuple[Batch, ...]:
        """Pad the windows at `positions` in that many batches, or in one a window if there are fewer."""
        return tuple(map(self, np.array_split(positions, min(parts, len(positions)))))

    def _tensor(self, values: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(values)
        return tensor.pin_memory() if self._pin else tensor


def prefetched(items: Iterable[_Item], make: Callable[[_Item], _Made], ahead: int = 2) -> Iterator[_Made]:
    """Yield `make(item)` in order while a thread makes the next ones, so the model does not wait."""
    source = iter(items)
    with ThreadPoolExecutor(1, thread_name_prefix="batches") as thread:
        waiting: list[Future[_Made]] = [thread.submit(make, item) for item in islice(source, ahead)]
        try:
            while waiting:
                made = waiting.pop(0).result()
                waiting.extend(thread.submit(make, item) for item in islice(source, 1))
                yield made
        finally:
            for future in waiting:
                future.cancel()
