"""The quarantine: each row that is not among a snapshot's rows, with its place, its reason and an excerpt."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from tasks.io.sources.base import BAD_SCHEMA

QUARANTINE_SCHEMA = pa.schema([("source", pa.string()), ("file", pa.string()), *BAD_SCHEMA])

EXACT = "duplicate"
NORMALIZED = "duplicate after normalization"
CONFLICT = "conflicting label"
RETIRED = "label no longer used"
NOT_BAD = (EXACT, NORMALIZED, CONFLICT, RETIRED)
"""Reasons that say nothing against the row itself; they don't count towards max_quarantine_share."""

_ROWS_AT_ONCE = 50_000


@dataclass(frozen=True)
class Example:
    """The first row with a reason."""

    file: str
    line: int
    excerpt: str


class Quarantine:
    """Writes quarantine.parquet and counts as it goes.

    Args:
        path: The file to make.
    """

    def __init__(self, path: Path) -> None:
        self.reasons: Counter[str] = Counter()
        self.examples: dict[str, Example] = {}
        self._writer = pq.ParquetWriter(path, QUARANTINE_SCHEMA, compression="zstd", store_schema=False)
        self._waiting: list[pa.Table] = []
        self._waiting_rows = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._flush()
        self._writer.close()

    def add(self, bad: pa.Table, source: str, file: str) -> None:
        """Add rows of one file, in BAD_SCHEMA."""
        if not len(bad):
            return
        where = [pa.repeat(pa.scalar(name, pa.string()), len(bad)) for name in (source, file)]
        table = pa.Table.from_arrays([*where, *bad.columns], schema=QUARANTINE_SCHEMA)
        self.add_placed(table)

    def add_placed(self, table: pa.Table) -> None:
        """Add rows in QUARANTINE_SCHEMA."""
        for item in pc.value_counts(table["reason"]).to_pylist():
            reason = item["values"]
            self.reasons[reason] += item["counts"]
            if reason not in self.examples:
                first = table.slice(pc.index(table["reason"], reason).as_py(), 1).to_pylist()[0]
                self.examples[reason] = Example(first["file"], first["line"], first["excerpt"])
        self._waiting.append(table)
        self._waiting_rows += len(table)
        if self._waiting_rows >= _ROWS_AT_ONCE:
            self._flush()

    @property
    def bad_reasons(self) -> Counter[str]:
        """Count the rows that are wrong in themselves, by reason."""
        return Counter({reason: count for reason, count in self.reasons.items() if reason not in NOT_BAD})

    @property
    def bad(self) -> int:
        """Count the rows that are wrong in themselves."""
        return self.bad_reasons.total()

    def _flush(self) -> None:
        if self._waiting:
            self._writer.write_table(pa.concat_tables(self._waiting))
        self._waiting, self._waiting_rows = [], 0
