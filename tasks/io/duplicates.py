"""Find rows with the same text, out of core: hashes go to partitions on disk, each small enough to sort."""

from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from tasks.io.threads import in_order

KEEP, EXACT, NORMALIZED, CONFLICT = range(4)

_PARTITION_BITS = 6
_RECORD = np.dtype([("text", "<u8"), ("row", "<u8"), ("raw", "<u4"), ("label", "<u4")])


@dataclass(frozen=True)
class Duplicates:
    """What the search found.

    Args:
        codes: (rows,) uint8: KEEP for the first row of each text, else why it repeats an earlier one.
        in_two_splits: Repeated rows that stood in another split than the row they repeat.
    """

    codes: np.ndarray
    in_two_splits: int


@dataclass(frozen=True)
class SortedHashes:
    """Some rows' hashes, by partition.

    Args:
        records: (rows,) in _RECORD, `row` counting from 0.
        ends: (partitions,) where each partition ends.
    """

    records: np.ndarray
    ends: np.ndarray


def sort_hashes(text: np.ndarray, raw: np.ndarray, label: np.ndarray) -> SortedHashes:
    """Bring rows to their partitions, in their order.

    Args:
        text: (rows,) uint64 hash of the normalized text.
        raw: (rows,) uint64 hash of the text as it came; rows with equal `text` are compared by it.
        label: (rows,) uint64 hash of the label or the tags.
    """
    partition = (text >> np.uint64(64 - _PARTITION_BITS)).astype(np.uint8)
    order = np.argsort(partition, kind="stable")
    records = np.empty(len(text), _RECORD)
    records["text"], records["row"] = text[order], order
    records["raw"], records["label"] = raw[order].astype(np.uint32), label[order].astype(np.uint32)
    return SortedHashes(records, np.cumsum(np.bincount(partition, minlength=1 << _PARTITION_BITS)))


class DuplicateSearch:
    """Collects hashes of rows, 24 bytes a row on disk, and finds the repeated ones.

    Args:
        folder: An empty folder for the partitions.
    """

    def __init__(self, folder: Path) -> None:
        self.rows = 0
        self._folder = folder
        self._stack = ExitStack()
        self._files = [self._stack.enter_context(p.open("ab")) for p in self._paths()]

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, hashes: SortedHashes) -> None:
        """Add rows behind those that were added before."""
        records = hashes.records.copy()
        records["row"] += np.uint64(self.rows)
        self.rows += len(records)
        content = records.data.cast("B") if len(records) else memoryview(b"")
        begin = 0
        for file, end in zip(self._files, (hashes.ends * _RECORD.itemsize).tolist(), strict=True):
            file.write(content[begin:end])
            begin = end

    def find(self, splits: np.ndarray | None = None) -> Duplicates:
        """Compare all rows.

        Args:
            splits: (rows,) where each row would go by itself, if that can differ between equal texts.
        """
        self._stack.close()
        codes = np.memmap(self._folder / "codes", np.uint8, "w+", shape=(max(self.rows, 1),))
        crossing = 0
        for repeated, first, found in in_order(partial(_compare_file, path) for path in self._paths()):
            codes[repeated] = found
            if splits is not None:
                crossing += int((splits[repeated] != splits[first]).sum())
        return Duplicates(codes[: self.rows], crossing)

    def _paths(self) -> list[Path]:
        return [self._folder / f"hashes-{i:02}" for i in range(1 << _PARTITION_BITS)]


def _compare_file(path: Path) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    records = np.fromfile(path, _RECORD)
    path.unlink()
    return _compare(records[_is_repeated(records["text"])])


def _is_repeated(hashes: np.ndarray) -> np.ndarray:
    """Tell which hashes occur more than once; few do, and to find that out is faster than to sort rows."""
    ordered = np.sort(hashes)
    several = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(several):
        return np.zeros(len(hashes), bool)
    places = np.minimum(np.searchsorted(several, hashes), len(several) - 1)
    repeated: np.ndarray = several[places] == hashes
    return repeated


def _compare(records: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Give the repeated rows, the row that each repeats, and why: (repeated,) each."""
    # Records came in the order of rows, so a stable sort keeps the first row of each text first.
    records = records[np.argsort(records["text"], kind="stable")]
    again = np.zeros(len(records), bool)
    again[1:] = records["text"][1:] == records["text"][:-1]
    heads = np.maximum.accumulate(np.where(again, 0, np.arange(len(records))))
    places = np.flatnonzero(again)
    later, first = records[places], records[heads[places]]
    codes = np.where(later["label"] != first["label"], CONFLICT, NORMALIZED).astype(np.uint8)
    codes[(codes == NORMALIZED) & _seen_before(records, heads)[places]] = EXACT
    return later["row"].astype(np.int64), first["row"].astype(np.int64), codes


def _seen_before(records: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Tell which records have the same raw text and label as an earlier one of their text."""
    order = np.lexsort((records["row"], records["label"], records["raw"], heads))
    ordered = records[order]
    equal = np.all([ordered[n][1:] == ordered[n][:-1] for n in ("text", "raw", "label")], axis=0)
    seen = np.zeros(len(records), bool)
    seen[order[1:][equal]] = True
    return seen
