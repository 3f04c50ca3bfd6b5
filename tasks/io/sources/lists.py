"""Lists that came as text: a JSON array; else words between blanks for tokens and tags, or one item."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.text_encoding import invalid_utf8
from tasks.io.sources.base import BAD_SCHEMA, LINE, LIST_ROLES, bad_lines
from tasks.io.sources.json_lines import parse_objects

BROKEN_LIST = "broken list"
_WORDS = ("tokens", "tags")
_VALUE = pa.schema([("v", pa.list_(pa.string()))])


def parse_list_columns(rows: pa.Table) -> tuple[pa.Table, pa.Table]:
    """Turn text columns of list roles into lists.

    Returns:
        The rows whose lists could be read, and the others in BAD_SCHEMA.
    """
    bad = [BAD_SCHEMA.empty_table()]
    for role in LIST_ROLES:
        if role not in rows.column_names or not pa.types.is_string(rows[role].type):
            continue
        values = _combined(rows[role])
        lists, failed = _parse(values, role)
        bad.append(_failed(rows, values, failed))
        place = rows.column_names.index(role)
        rows = rows.set_column(place, role, lists).filter(pa.array(~failed))
    return rows, pa.concat_tables(bad)


def _failed(rows: pa.Table, values: pa.Array, failed: np.ndarray) -> pa.Table:
    mask = pa.array(failed)
    contents = [v or b"" for v in values.cast(pa.binary()).filter(mask).to_pylist()]
    return bad_lines(rows[LINE].filter(mask).to_pylist(), [BROKEN_LIST] * len(contents), contents)


def _combined(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _alone(values: pa.Array) -> pa.ListArray:
    """Give lists of one text each."""
    return pa.ListArray.from_arrays(
        pa.array(np.arange(len(values) + 1), pa.int32()), values, mask=pc.is_null(values)
    )


def _parse(values: pa.Array, role: str) -> tuple[pa.Array, np.ndarray]:
    """Read each value as a list; give the lists and where that failed."""
    failed = invalid_utf8(values)
    if failed.any():
        values = pc.if_else(pa.array(failed), pa.scalar(None, values.type), values)
    text = pc.utf8_trim_whitespace(values)
    closed = pc.and_(pc.starts_with(text, "["), pc.ends_with(text, "]"))
    arrays = pc.fill_null(pc.or_(closed, pc.starts_with(text, '["')), False)
    plain = pc.if_else(arrays, pa.scalar(None, pa.string()), text)
    words = pc.utf8_split_whitespace(plain) if role in _WORDS else _alone(plain)
    # Splitting an empty text gives one empty word.
    words = pc.if_else(pc.equal(text, ""), pa.scalar([], words.type), words)
    if not pc.any(arrays).as_py():
        return words, failed
    parsed, wrong = _parse_arrays(text.filter(arrays))
    failed[np.flatnonzero(arrays.to_numpy(zero_copy_only=False))[wrong]] = True
    order = np.zeros(len(values), np.int64)
    inside = arrays.to_numpy(zero_copy_only=False)
    order[inside] = np.arange(inside.sum()) + len(values)
    order[~inside] = np.flatnonzero(~inside)
    return pa.concat_arrays([words, parsed]).take(pa.array(order)), failed


def _parse_arrays(text: pa.Array) -> tuple[pa.Array, np.ndarray]:
    flat = pc.replace_substring(text, "\n", " ")
    lines = pc.binary_join_element_wise('{"v":', flat, "}\n", "").cast(pa.binary())
    starts = np.concatenate([[0], np.cumsum(pc.binary_length(lines).to_numpy())])
    parsed = parse_objects(b"".join(lines.to_pylist()), starts, _VALUE)
    place = np.full(len(text), -1)
    place[parsed.good] = np.arange(len(parsed.good))
    taken = _combined(parsed.table["v"]).take(pa.array(place, mask=place < 0))
    return taken, np.array([i for i, _ in parsed.bad], np.int64)
