"""Rows that wait on disk until all have been seen, so that equal texts and the newest rows are known."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.schemas import AgentConfig
from models.text_hash import split_codes
from tasks.io import quarantine as reasons
from tasks.io.duplicates import CONFLICT, EXACT, KEEP, NORMALIZED, DuplicateSearch
from tasks.io.ingest_blocks import Block
from tasks.io.quarantine import Quarantine
from tasks.io.snapshot_rows import RowsWriter
from tasks.io.sources.base import LINE, bad_rows
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
        start = 0
        for place, table in zip(self._places, self._read(), strict=True):
            codes = np.asarray(found.codes[start : start + len(table)])
            start += len(table)
            _put_aside(table, codes, place, quarantine)
            kept = table.filter(pa.array(codes == KEEP)) if codes.any() else table
            rows.add(kept, _splits(kept, config, cuts))
        return found.in_two_splits

    def _read(self) -> Iterator[pa.Table]:
        with pa.OSFile(str(self._rows)) as file, pa.ipc.open_stream(file) as stream:
            for batch in stream:
                yield pa.table(batch)

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


def _put_aside(table: pa.Table, codes: np.ndarray, place: tuple[str, str], quarantine: Quarantine) -> None:
    repeated = np.flatnonzero(codes)
    if not len(repeated):
        return
    names = [LINE, *(name for name in _OWN if name in table.column_names)]
    rows = table.select(names).take(pa.array(repeated))
    quarantine.add(bad_rows(rows, [_REASONS[int(code)] for code in codes[repeated]]), *place)
