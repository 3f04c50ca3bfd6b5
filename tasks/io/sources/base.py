"""What every source gives: raw batches whose columns are named by role, with the lines that have no columns.

A role is what a column is for: the adapter's own columns, such as `text` and `label`; `time`, `domain` and
`document` where the config names them. Nothing is judged here but what a reader alone can see; the rest is
validation's.
"""

import difflib
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from models.adapters import ADAPTERS
from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName

LINE = "line"
TEXTS = "texts"
"""In the place of a task type: one column of texts, whatever else the rows hold."""
EXCERPT_LENGTH = 200
LIST_ROLES = tuple(
    dict.fromkeys(f.name for one in ADAPTERS.values() for f in one.columns() if pa.types.is_list(f.type))
)

BAD_SCHEMA = pa.schema([(LINE, pa.int64()), ("reason", pa.string()), ("excerpt", pa.string())])


@dataclass(frozen=True)
class RawBatch:
    """Some rows as they came.

    Args:
        rows: `line` (int64, counting from 1) and one column a role. Strings may hold invalid UTF-8.
        bad: Lines that are no rows, in BAD_SCHEMA.
        file: Name of the file, table or split they stand in.
    """

    rows: pa.Table
    bad: pa.Table
    file: str


Part = Callable[[], RawBatch]
"""Makes one batch; parts may be made in any thread and in any order."""


class Source(Protocol):
    """One address with rows, read as a stream in flat memory."""

    def parts(self) -> Iterator[Part]:
        """Read on and give the work that turns what was read into a batch.

        Raises:
            DataError: The address can't be read, or a mapped column is not there.
        """
        ...


def batches(source: Source) -> Iterator[RawBatch]:
    """Make a source's batches one after the other."""
    return (part() for part in source.parts())


def wanted_columns(config: SourceConfig, adapter: AdapterName) -> dict[str, str]:
    """Map each role to the source's column."""
    texts = {"text": config.text_column}
    columns = texts if adapter == TEXTS else ADAPTERS[adapter].source_columns(config)
    optional = {
        "time": config.time_column,
        "domain": config.domain_column,
        "document": config.document_column,
    }
    return columns | {role: column for role, column in optional.items() if column}


def check_columns(wanted: dict[str, str], found: Sequence[str], where: str) -> None:
    """Compare the mapped columns with those that are there.

    Raises:
        DataError: A mapped column is absent or there twice.
    """
    for role, column in wanted.items():
        if column not in found:
            near = difflib.get_close_matches(column, found, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else ""
            names = ", ".join(repr(name) for name in found[:20])
            setting = f"{role}_column"
            named = setting in SourceConfig.model_fields
            way = (
                f"Set {setting} in the source."
                if named
                else f"Add it, or name it in the source: columns: {{{role}: ...}}."
            )
            raise DataError(f"{where} has no column {column!r}; it has {names or 'none'}.{hint} {way}")
        if list(found).count(column) > 1:
            raise DataError(f"{where} has two columns {column!r}; rename one of them.")


def bad_lines(lines: Iterable[int], reasons: Iterable[str], contents: Iterable[bytes]) -> pa.Table:
    """Make a table in BAD_SCHEMA."""
    columns = [list(lines), list(reasons), [excerpt(content) for content in contents]]
    arrays = [pa.array(c, f.type) for c, f in zip(columns, BAD_SCHEMA, strict=True)]
    return pa.Table.from_arrays(arrays, schema=BAD_SCHEMA)


def bad_rows(rows: pa.Table, reasons: Sequence[str] | pa.Array) -> pa.Table:
    """Make a table in BAD_SCHEMA of parsed rows; the excerpt holds their values."""
    values = rows.drop_columns([LINE]).to_pylist() if _is_readable(rows) else _escaped(rows)
    contents = [json.dumps(v, ensure_ascii=False, default=str)[:EXCERPT_LENGTH] for v in values]
    columns = [rows[LINE].combine_chunks(), pa.array(reasons, pa.string()), pa.array(contents, pa.string())]
    return pa.Table.from_arrays(columns, schema=BAD_SCHEMA)


def excerpt(content: bytes) -> str:
    """Give the beginning of a raw line, its unreadable bytes as escapes."""
    return content[: EXCERPT_LENGTH * 4].decode("utf-8", "backslashreplace").rstrip("\r\n")[:EXCERPT_LENGTH]


def as_unchecked_string(values: pa.Array) -> pa.Array:
    """See a binary array as strings without looking at the bytes; validation does that."""
    large = pa.types.is_large_binary(values.type)
    target = pa.large_string() if large else pa.string()
    seen = pa.Array.from_buffers(target, len(values), values.buffers(), values.null_count, values.offset)
    return seen.cast(pa.string()) if large else seen


def _is_readable(rows: pa.Table) -> bool:
    try:
        rows.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _escaped(rows: pa.Table) -> list[dict[str, object]]:
    """Give values as bytes whose unreadable parts are escapes."""
    names = [name for name in rows.column_names if name != LINE]
    columns = [[_readable(v) for v in _raw(rows[name])] for name in names]
    return [dict(zip(names, values, strict=True)) for values in zip(*columns, strict=True)]


def _raw(column: pa.ChunkedArray) -> list[object]:
    kind = column.type
    if pa.types.is_list(kind):
        column = column.cast(pa.list_(pa.binary()))
    elif pa.types.is_string(kind):
        column = column.cast(pa.binary())
    return list(column.to_pylist())


def _readable(value: object) -> object:
    if isinstance(value, list):
        return [_readable(item) for item in value]
    return value.decode("utf-8", "backslashreplace") if isinstance(value, bytes) else value
