"""Group windows into batches by token budget, and turn Arrow buffers into padded tensors.

What a batch is trained on, and how, belongs to `loop.py`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from itertools import islice
from typing import TypeVar

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor

from models.adapters.base import IGNORED
from models.ragged import Ragged
from models.window_reader import Layout, WindowReader

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
        labels: (windows, longest) int64, IGNORED as padding.
        marks: (windows, marks) int64 places of marked sub-words, or None where there are none.
        tokens: Sub-words without padding.
        targets: Labels that count, those that are not IGNORED.
    """

    input_ids: Tensor
    attention_mask: Tensor | None
    labels: Tensor
    tokens: int
    targets: int
    marks: Tensor | None = None

    def inputs(self, wanted: Sequence[str]) -> dict[str, Tensor]:
        """Give those tensors that a network wants, by name."""
        found = {name: getattr(self, name) for name in wanted}
        return {name: tensor for name, tensor in found.items() if tensor is not None}

    def to(self, device: torch.device) -> "Batch":
        """Move the tensors, without waiting where the memory is pinned."""
        if device.type == "cpu":
            return self
        mask, marks = self.attention_mask, self.marks
        return replace(
            self,
            input_ids=self.input_ids.to(device, non_blocking=True),
            attention_mask=None if mask is None else mask.to(device, non_blocking=True),
            labels=self.labels.to(device, non_blocking=True),
            marks=None if marks is None else marks.to(device, non_blocking=True),
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

    What is put together are items: windows, or all windows of a row where these are needed in one batch.

    Args:
        windows: Windows in the adapter's schema.
        pad_id: Sub-word that pads.
        layout: How windows lie in a batch.
        pin: Whether batches lie in pinned memory, for copies to a GPU.
    """

    def __init__(
        self, windows: pa.Table, pad_id: int, layout: Layout | None = None, pin: bool = False
    ) -> None:
        layout = layout or Layout()
        self._reader = WindowReader.of(windows, pad_id, layout)
        self._labels = Ragged.from_column(windows["labels"])
        self._items = _items(windows) if layout.together else None
        self._pin = pin
        own = self._labels.lengths if layout.apart else 0
        self.lengths = _sizes(self._reader.lengths + own, self._items)
        """(items,) sub-words of an item, padding within it included."""

    def __call__(self, positions: np.ndarray) -> Batch:
        """Pad the items at `positions` to the longest window among them."""
        windows = positions if self._items is None else _ranges(self._items, positions)
        labels = self._labels.padded(windows, IGNORED, left=self._reader.left)
        inputs = {name: self._tensor(one) for name, one in self._reader.padded(windows).items()}
        return Batch(
            inputs["input_ids"],
            inputs.get("attention_mask"),
            self._tensor(labels),
            int(self._reader.lengths[windows].sum()),
            int((labels != IGNORED).sum()),
            inputs.get("marks"),
        )

    def in_parts(self, positions: np.ndarray, parts: int) -> tuple[Batch, ...]:
        """Pad the items at `positions` in that many batches, or in one an item if there are fewer."""
        return tuple(map(self, np.array_split(positions, min(parts, len(positions)))))

    def _tensor(self, values: np.ndarray) -> Tensor:
        tensor = torch.from_numpy(values)
        return tensor.pin_memory() if self._pin else tensor


def _sizes(lengths: np.ndarray, items: np.ndarray | None) -> np.ndarray:
    if items is None or not len(lengths):
        return lengths
    longest: np.ndarray = np.maximum.reduceat(lengths, items[:-1])
    return longest * np.diff(items)


def _items(windows: pa.Table) -> np.ndarray:
    """Give where each row's windows begin, and the end of the last: (rows + 1,)."""
    rows = windows["row"].to_numpy()
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    return np.append(first, len(rows))


def _ranges(starts: np.ndarray, positions: np.ndarray) -> np.ndarray:
    """Give all places from `starts[p]` to `starts[p + 1]` of each position, one after the other."""
    begins, counts = starts[positions], starts[positions + 1] - starts[positions]
    ends = np.cumsum(counts)
    places: np.ndarray = np.arange(ends[-1]) + np.repeat(begins - (ends - counts), counts)
    return places


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
