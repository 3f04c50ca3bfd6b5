"""Bring typed columns (Parquet, SQL, Arrow) to what validation expects: strings and lists of strings."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.errors import DataError
from tasks.io.sources.base import LINE, LIST_ROLES, RawBatch, as_unchecked_string
from tasks.io.sources.lists import parse_list_columns


def raw_batch(table: pa.Table, wanted: dict[str, str], first_line: int, file: str) -> RawBatch:
    """Name typed columns by role and turn them into text, lists of text or times.

    Args:
        table: The mapped columns.
        wanted: Source's column by role.
        first_line: Number of the first row, counting from 1.
        file: Where the rows stand.

    Raises:
        DataError: A column's type can't stand for its role.
    """
    lines = pa.array(range(first_line, first_line + len(table)), pa.int64())
    columns = {
        role: _as_role(table[name].combine_chunks(), role, name, file) for role, name in wanted.items()
    }
    rows, bad = parse_list_columns(pa.table({LINE: lines, **columns}))
    return RawBatch(rows, bad, file)


def _as_role(values: pa.Array, role: str, name: str, file: str) -> pa.Array:
    values = _plain(values)
    kind = values.type
    if pa.types.is_null(kind):
        return pa.nulls(len(values), pa.list_(pa.string()) if role in LIST_ROLES else pa.string())
    if pa.types.is_binary(kind) or pa.types.is_large_binary(kind):
        return as_unchecked_string(values)
    if role in LIST_ROLES and _is_list(kind):
        return _as_list(values, role, name, file)
    if role == "time" and pa.types.is_temporal(kind):
        return values
    if role in ("label", "domain", "document", "time") and (
        pa.types.is_integer(kind) or pa.types.is_boolean(kind)
    ):
        return values.cast(pa.string())
    raise DataError(
        f"{file}: column {name!r} is of type {kind}, which can't be used as {role}. Map another column."
    )


def _plain(values: pa.Array) -> pa.Array:
    """Undo dictionaries and views; give strings as the bytes they are."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    kind = values.type
    if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind) or pa.types.is_large_string(kind):
        return values.cast(pa.large_binary())
    if pa.types.is_string(kind) or pa.types.is_fixed_size_binary(kind):
        return values.cast(pa.binary())
    return values


def _is_list(kind: pa.DataType) -> bool:
    return any(
        is_kind(kind) for is_kind in (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    )


def _as_list(values: pa.Array, role: str, name: str, file: str) -> pa.Array:
    lengths = pc.fill_null(pc.list_value_length(values), 0).to_numpy()
    offsets = pa.array(np.concatenate([[0], np.cumsum(lengths)]), pa.int32())
    # flatten() leaves out what lies under null lists; a number may stand for a token or a tag.
    words = _plain(values.flatten())
    if pa.types.is_integer(words.type) or pa.types.is_null(words.type):
        words = words.cast(pa.string())
    elif not (pa.types.is_binary(words.type) or pa.types.is_large_binary(words.type)):
        raise DataError(f"{file}: column {name!r} holds lists of {words.type}; {role} are lists of strings.")
    else:
        words = as_unchecked_string(words)
    return pa.ListArray.from_arrays(offsets, words, mask=pc.is_null(values) if values.null_count else None)
