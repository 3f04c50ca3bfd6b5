"""Rows that wait on disk until all have been seen, so that equal texts and the newest rows are known."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.schemas import AgentConfig
from models.text_hash import split_codes
from tasks.io import quarantine as reasons
from tasks.io.duplicates import CONFLICT, EXACT, KEEP, NORMALIZED, Duplicates, DuplicateSearch
from tasks.io.ingest_blocks import Block, in_order
from tasks.io.quarantine import Quarantine
from tasks.io.snapshot_rows import RowsWriter
from tasks.io.sources.base import BAD_SCHEMA, LINE, bad_rows
from tasks.io.time_split import TimeCuts, find_cuts

_REASONS = {EXACT: reasons.EXACT, NORMALIZED: reasons.NORMALIZED, CONFLICT: reasons.CONFLICT}
_OWN = ("text", "label", "tokens", "tags")


class Spool:
    """Blocks of rows in an Arrow stream on disk, beside their hashes and times.

    Args:
        folder: Where temporary files may lie.
    """

    def __init__(self, folder: Path) -> None:
        self._rows, self._times = folder / "rows.arrows", folder / "times"
        parts = folder / "hashes"
        parts.mkdir()
        self._stack = ExitStack()
        self._search = self._stack.enter_context(DuplicateSearch(parts))
        self._time_file = self._stack.enter_context(self._times.open("wb"))
        self._stream: pa.ipc.RecordBatchStreamWriter | None = None
        self._places: list[tuple[str, str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.close()

    def add(self, block: Block) -> None:
        """Let a block's rows wait."""
        if not len(block.rows):
            return
        if self._stream is None:
            self._stream = self._stack.enter_context(
                pa.ipc.new_stream(
                    self._stack.enter_context(pa.OSFile(str(self._rows), "wb")), block.rows.schema
                )
            )
        self._stream.write_table(block.rows.combine_chunks())
        self._search.add(np.asarray(block.rows["text_hash"]), block.raw, block.label)
        self._time_file.write(_micros(block.rows).tobytes())
        self._places.append((block.source, block.file))

    def settle(self, config: AgentConfig, rows: RowsWriter, quarantine: Quarantine) -> int:
        """Write the first row of each text and put the others into the quarantine.

        Returns:
            How many of the others would have stood in another split than the row they repeat.
        """
        self._stack.close()
        if self._stream is None:
            return 0
        cuts = None
        if config.split_by == "time":
            cuts = find_cuts(self._times, config.validation_share, config.test_share)
        found = self._search.find(self._time_splits(cuts) if cuts else None)
        for place, (kept, repeated) in zip(self._places, in_order(self._parted(found)), strict=True):
            quarantine.add(repeated, *place)
            rows.add(kept, _splits(kept, config, cuts))
        return found.in_two_splits

    def _parted(self, found: Duplicates) -> Iterator[Callable[[], tuple[pa.Table, pa.Table]]]:
        start = 0
        with pa.OSFile(str(self._rows)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield partial(_part, pa.table(batch), np.array(found.codes[start : start + len(batch)]))
                start += len(batch)

    def _time_splits(self, cuts: TimeCuts) -> np.ndarray:
        times = np.memmap(self._times, np.int64, "r")
        codes = np.memmap(self._times.with_suffix(".splits"), np.int8, "w+", shape=times.shape)
        for start in range(0, len(times), 1 << 20):
            codes[start : start + (1 << 20)] = cuts.codes(times[start : start + (1 << 20)])
        return codes


def _micros(table: pa.Table) -> np.ndarray:
    return np.asarray(pc.fill_null(table["time"].cast("int64"), 0), np.int64)


def _splits(table: pa.Table, config: AgentConfig, cuts: TimeCuts | None) -> np.ndarray:
    if cuts:
        return cuts.codes(_micros(table))
    return split_codes(np.asarray(table["text_hash"]), config.validation_share, config.test_share)


def _part(table: pa.Table, codes: np.ndarray) -> tuple[pa.Table, pa.Table]:
    """Part the rows that stay from those that repeat others; the latter come in BAD_SCHEMA."""
    repeated = np.flatnonzero(codes)
    if not len(repeated):
        return table, BAD_SCHEMA.empty_table()
    names = [LINE, *(name for name in _OWN if name in table.column_names)]
    aside = table.select(names).take(pa.array(repeated))
    kept = table.filter(pa.array(codes == KEEP))
    return kept, bad_rows(aside, [_REASONS[int(code)] for code in codes[repeated]])
