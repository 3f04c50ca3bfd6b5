"""rows.parquet: its columns, and the writer that counts what goes into it."""

from collections import Counter
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.adapters import ADAPTERS
from models.schemas.agent import AdapterName
from models.text_hash import SPLITS
from tasks.io.times import TIME_TYPE

NAMED = pa.dictionary(pa.int32(), pa.string())
"""Columns of few distinct strings; readers of the file see plain strings."""


def row_columns(adapter: AdapterName) -> pa.Schema:
    """Give the schema that rows are written with."""
    own = [
        (field.name, NAMED if field.name == "label" else field.type) for field in ADAPTERS[adapter].columns()
    ]
    shared = [("text_hash", pa.uint64()), ("split", NAMED), ("source", NAMED), ("domain", NAMED)]
    return pa.schema([*shared, ("time", TIME_TYPE), *own])


class RowsWriter:
    """Writes rows.parquet and counts splits, labels, domains and the time range.

    Args:
        path: The file to make.
        adapter: The task type, which decides the columns.
    """

    def __init__(self, path: Path, adapter: AdapterName) -> None:
        self.rows = 0
        self.splits: Counter[str] = Counter(dict.fromkeys(SPLITS, 0))
        self.labels: Counter[str] = Counter()
        self.domains: Counter[str] = Counter()
        self.first: datetime | None = None
        self.last: datetime | None = None
        self._adapter = ADAPTERS[adapter]
        self._schema = row_columns(adapter)
        named = [f.name for f in self._schema if f.type == NAMED] + ["tags.list.element"]
        # The Arrow schema is left out of the file, so that its readers get plain strings. Speed goes before
        # size: snappy, and no statistics but those that a reader would skip row groups by.
        self._writer = pq.ParquetWriter(
            path,
            self._schema,
            compression="snappy",
            use_dictionary=named,
            write_statistics=["time"],
            store_schema=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._writer.close()

    def add(self, rows: pa.Table, splits: np.ndarray) -> None:
        """Write rows that have every column but `split`.

        Args:
            rows: The rows; columns beyond the schema are left out.
            splits: (rows,) int8 positions in SPLITS.
        """
        if not len(rows):
            return
        split = pa.DictionaryArray.from_arrays(pa.array(splits.astype(np.int32)), pa.array(SPLITS))
        table = rows.append_column("split", split).select(self._schema.names).cast(self._schema)
        self._writer.write_table(table)
        self._count(table)

    def _count(self, table: pa.Table) -> None:
        self.rows += len(table)
        _add_counts(self.splits, table["split"])
        _add_counts(self.domains, table["domain"])
        _add_counts(self.labels, self._adapter.labels_of(table)["label"])
        times = pc.min_max(table["time"]).as_py()
        if times["min"] is not None:
            self.first = min(self.first or times["min"], times["min"])
            self.last = max(self.last or times["max"], times["max"])


def _add_counts(counter: Counter[str], column: pa.ChunkedArray) -> None:
    for item in pc.value_counts(column.drop_null()).to_pylist():
        counter[item["values"]] += item["counts"]
