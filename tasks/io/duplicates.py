"""Find rows with the same text, out of core: hashes go to partitions on disk, each small enough to sort."""

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

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

    def add(self, text: np.ndarray, raw: np.ndarray, label: np.ndarray) -> None:
        """Add rows, in their order.

        Args:
            text: (rows,) uint64 hash of the normalized text.
            raw: (rows,) uint64 hash of the text as it came; rows with equal `text` are compared by it.
            label: (rows,) uint64 hash of the label or the tags.
        """
        records = np.empty(len(text), _RECORD)
        records["text"], records["raw"], records["label"] = (
            text,
            raw.astype(np.uint32),
            label.astype(np.uint32),
        )
        records["row"] = np.arange(self.rows, self.rows + len(text))
        self.rows += len(text)
        partition = (text >> np.uint64(64 - _PARTITION_BITS)).astype(np.uint8)
        ordered = records[np.argsort(partition, kind="stable")]
        ends = np.cumsum(np.bincount(partition, minlength=len(self._files)))
        for file, part in zip(self._files, np.split(ordered, ends[:-1]), strict=True):
            file.write(part.tobytes())

    def find(self, splits: np.ndarray | None = None) -> Duplicates:
        """Compare all rows.

        Args:
            splits: (rows,) where each row would go by itself, if that can differ between equal texts.
        """
        self._stack.close()
        shape = (max(self.rows, 1),)
        codes = np.memmap(self._folder / "codes", np.uint8, "w+", shape=shape)
        crossing = 0
        for path in self._paths():
            records = np.fromfile(path, _RECORD)
            repeated, first, found = _compare(records)
            codes[repeated] = found
            if splits is not None:
                crossing += int((splits[repeated] != splits[first]).sum())
            path.unlink()
        return Duplicates(codes[: self.rows], crossing)

    def _paths(self) -> list[Path]:
        return [self._folder / f"hashes-{i:02}" for i in range(1 << _PARTITION_BITS)]


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
    codes[(codes == NORMALIZED) & _seen_raw(records, again, heads)[places]] = EXACT
    return later["row"].astype(np.int64), first["row"].astype(np.int64), codes


def _seen_raw(records: np.ndarray, again: np.ndarray, heads: np.ndarray) -> np.ndarray:
    """Tell which records have the same raw text and label as an earlier one of their text."""
    seen = np.zeros(len(records), bool)
    group = np.flatnonzero(again | np.append(again[1:], False))
    some = records[group]
    order = np.lexsort((some["row"], some["label"], some["raw"], heads[group]))
    names = ("text", "raw", "label")
    equal = np.all([some[order][n][1:] == some[order][n][:-1] for n in names], axis=0)
    seen[group[order[1:][equal]]] = True
    return seen
