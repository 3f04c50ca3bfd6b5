"""Parse lines of JSON objects at pyarrow's speed and still find each bad line by itself."""

import json
import re
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.json as pajson

from models.adapters.rows import ENCODING

BROKEN = "broken JSON"
NOT_OBJECT = "not a JSON object"
WRONG_TYPE = "wrong type of value"

_ONE_BY_ONE = 32
# A null behind an object makes pyarrow's reader give a row more, and as the first one ends the process.
_AFTER_OBJECT = re.compile(rb"\}[ \t\r]*n")


@dataclass(frozen=True)
class Parsed:
    """The objects of some lines.

    Args:
        table: One row a good line.
        good: (rows,) positions of the lines that became rows.
        bad: Positions of the other lines, with their reasons.
    """

    table: pa.Table
    good: np.ndarray
    bad: list[tuple[int, str]]


def parse_objects(content: bytes, starts: np.ndarray, schema: pa.Schema) -> Parsed:
    """Parse one JSON object a line; keys that the schema lacks are left out, absent ones are null.

    Args:
        content: Lines, each with its end.
        starts: (lines + 1,) where each line begins; the last entry is the end.
        schema: Strings, whole numbers and lists of strings. A whole number stands for a string as well
            and comes out as one; lines where most are numbers are read faster with them in the schema.
    """
    texts = pa.schema([(field.name, _text_type(field.type)) for field in schema])
    tables: list[pa.Table] = []
    bad: list[tuple[int, str]] = []
    good: list[np.ndarray] = []
    chunks = [(0, len(starts) - 1)]
    while chunks:
        first, last = chunks.pop()
        table = _parse_whole(content[starts[first] : starts[last]], last - first, schema)
        if table is not None:
            tables.append(table.cast(texts))
            good.append(np.arange(first, last))
        elif last - first > _ONE_BY_ONE:
            middle = (first + last) // 2
            chunks += [(middle, last), (first, middle)]
        else:
            table, kept, wrong = _parse_each(content, starts, range(first, last), texts)
            tables.append(table)
            good.append(np.array(kept, np.int64))
            bad += wrong
    merged = pa.concat_tables(tables) if tables else texts.empty_table()
    return Parsed(merged, np.concatenate([*good, np.zeros(0, np.int64)]), bad)


def _text_type(kind: pa.DataType) -> pa.DataType:
    return pa.string() if pa.types.is_integer(kind) else kind


def _parse_whole(content: bytes, lines: int, schema: pa.Schema) -> pa.Table | None:
    """Parse lines with pyarrow; None if any is not one plain object of the schema's types."""
    if not content.startswith(b"{") or content.count(b"\n{") != lines - 1 or _AFTER_OBJECT.search(content):
        return None
    options = pajson.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore")
    reading = pajson.ReadOptions(use_threads=False, block_size=len(content) + 1)
    try:
        table = pajson.read_json(pa.py_buffer(content), reading, options)
    except pa.ArrowInvalid:
        return None
    return table.select(schema.names) if len(table) == lines else None


def _parse_each(
    content: bytes, starts: np.ndarray, lines: range, schema: pa.Schema
) -> tuple[pa.Table, list[int], list[tuple[int, str]]]:
    values: list[dict[str, object]] = []
    kept: list[int] = []
    bad: list[tuple[int, str]] = []
    for i in lines:
        row = _read_line(content[starts[i] : starts[i + 1]], schema)
        if isinstance(row, str):
            bad.append((i, row))
        else:
            kept.append(i)
            values.append(row)
    return pa.Table.from_pylist(values, schema=schema), kept, bad


def _read_line(line: bytes, schema: pa.Schema) -> dict[str, object] | str:
    """Read one line; give its values, or the reason why not."""
    try:
        row = json.loads(line.decode("utf-8"))
    except UnicodeDecodeError:
        return ENCODING
    except (ValueError, RecursionError):
        return BROKEN
    if not isinstance(row, dict):
        return NOT_OBJECT
    values = {field.name: _as_type(row.get(field.name), field.type) for field in schema}
    wrong = next((v.reason for v in values.values() if isinstance(v, _Wrong)), None)
    return wrong or values


@dataclass(frozen=True)
class _Wrong:
    reason: str


def _as_type(value: object, kind: pa.DataType) -> object:
    if value is None:
        return None
    if not pa.types.is_list(kind):
        return _as_text(value)
    if not isinstance(value, list):
        return _Wrong(WRONG_TYPE)
    items = [None if item is None else _as_text(item) for item in value]
    return next((item for item in items if isinstance(item, _Wrong)), items)


def _as_text(value: object) -> str | _Wrong:
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str):
        return _Wrong(WRONG_TYPE)
    # A lone surrogate can be escaped in JSON but not be written as UTF-8.
    return _Wrong(ENCODING) if any("\ud800" <= c <= "\udfff" for c in value) else value
