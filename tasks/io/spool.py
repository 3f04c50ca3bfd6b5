"""Rows that wait on disk until all have been seen, so that equal texts and the newest rows are known."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa

from models.schemas import AgentConfig
from tasks.io import quarantine as reasons
from tasks.io.duplicates import CONFLICT, EXACT, KEEP, NORMALIZED, Duplicates, DuplicateSearch
from tasks.io.ingest_blocks import Block
from tasks.io.quarantine import Quarantine
from tasks.io.snapshot_rows import RowsWriter
from tasks.io.sources.base import BAD_SCHEMA, LINE, bad_rows
from tasks.io.threads import in_order
from tasks.io.time_split import TimeCuts, find_cuts
from tasks.io.waiting import micros, waiting_rows

_REASONS = {EXACT: reasons.EXACT, NORMALIZED: reasons.NORMALIZED, CONFLICT: reasons.CONFLICT}
_SHARED = (LINE, "text_hash", "split_code", "source", "domain", "document", "time")


@dataclass(frozen=True)
class _Place:
    """Where a block's rows come from, how many they are and their bytes on disk."""

    source: str
    file: str
    rows: int
    size: int


class Spool:
    """Blocks of rows on disk, beside their hashes and times.

    Args:
        folder: Where temporary files may lie.
    """

    def __init__(self, folder: Path) -> None:
        self._rows, self._times, self._codes = folder / "rows", folder / "times", folder / "codes"
        parts = folder / "hashes"
        parts.mkdir()
        self._stack = ExitStack()
        self._search = self._stack.enter_context(DuplicateSearch(parts))
        self._row_file = self._stack.enter_context(self._rows.open("wb"))
        self._time_file = self._stack.enter_context(self._times.open("wb"))
        self._code_file = self._stack.enter_context(self._codes.open("wb"))
        self._places: list[_Place] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, block: Block) -> None:
        """Let a block's rows wait."""
        if block.waiting is None:
            return
        self._row_file.write(block.waiting.stream)
        self._time_file.write(block.waiting.micros.data)
        self._code_file.write(block.waiting.codes.data)
        self._search.add(block.waiting.hashes)
        self._places.append(_Place(block.source, block.file, len(block.rows), block.waiting.stream.size))

    def settle(self, config: AgentConfig, rows: RowsWriter, quarantine: Quarantine) -> int:
        """Write the first row of each text and put the others into the quarantine.

        Returns:
            How many of the others would have stood in another split than the row they repeat.
        """
        self._stack.close()
        if not self._places:
            return 0
        cuts = None
        if config.split_by == "time":
            cuts = find_cuts(self._times, config.validation_share, config.test_share)
        found = self._search.find(self._time_splits(cuts) if cuts else np.memmap(self._codes, np.int8, "r"))
        for place, (kept, repeated) in zip(self._places, in_order(self._parted(found)), strict=True):
            quarantine.add(repeated, place.source, place.file)
            rows.add(kept, _splits(kept, cuts))
        return found.in_two_splits

    def _parted(self, found: Duplicates) -> Iterator[Callable[[], tuple[pa.Table, pa.Table]]]:
        start = 0
        with pa.OSFile(str(self._rows)) as file:
            for place in self._places:
                codes = np.array(found.codes[start : start + place.rows])
                yield partial(_part, file.read_buffer(place.size), codes)
                start += place.rows

    def _time_splits(self, cuts: TimeCuts) -> np.ndarray:
        times = np.memmap(self._times, np.int64, "r")
        codes = np.memmap(self._times.with_suffix(".splits"), np.int8, "w+", shape=times.shape)
        for start in range(0, len(times), 1 << 20):
            codes[start : start + (1 << 20)] = cuts.codes(times[start : start + (1 << 20)])
        return codes


def _splits(table: pa.Table, cuts: TimeCuts | None) -> np.ndarray:
    if cuts:
        return cuts.codes(micros(table))
    return np.asarray(table["split_code"])


def _part(stream: pa.Buffer, codes: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """Part the rows that stay from those that repeat others; the latter come in BAD_SCHEMA."""
    table, repeated = waiting_rows(stream), np.flatnonzero(codes)
    if not len(repeated):
        return table, BAD_SCHEMA.empty_table()
    names = [LINE, *(name for name in table.column_names if name not in _SHARED)]
    aside = table.select(names).take(pa.array(repeated))
    kept = table.filter(pa.array(codes == KEEP))
    return kept, bad_rows(aside, [_REASONS[int(code)] for code in codes[repeated]])
