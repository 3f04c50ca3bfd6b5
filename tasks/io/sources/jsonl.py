"""Source `jsonl`: one JSON object a line."""

import json
from collections.abc import Iterator
from functools import partial

import numpy as np
import pyarrow as pa

from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import LINE, LIST_ROLES, Part, RawBatch, bad_lines, check_columns, wanted_columns
from tasks.io.sources.files import Block, File, find_files, line_blocks, opened
from tasks.io.sources.json_lines import parse_objects
from tasks.io.sources.lists import parse_list_columns

_LOOKED_AT = 100
_LOOKED_AT_IN_BLOCK = 20


class JsonlSource:
    """Rows of JSONL files.

    Args:
        config: Where the files are and how their keys map.
        adapter: The task type, which decides the columns.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        self.config = config
        self.wanted = wanted_columns(config, adapter)

    def parts(self) -> Iterator[Part]:
        """Read blocks of lines; parsing is left to the parts."""
        for file in find_files(self.config.address):
            with opened(file) as stream:
                schema = None
                for block in line_blocks(stream, file):
                    schema = schema or _look_at(block, self.wanted, file)
                    yield partial(_parse, block, self.wanted, schema, file.name)


def _look_at(block: Block, wanted: dict[str, str], file: File) -> pa.Schema:
    """Look at the first lines: a mapped key that none of them has is a wrong mapping.

    Returns:
        The types of the mapped keys; lists may be written as strings.

    Raises:
        DataError: There is such a key, or the file is one JSON array.
    """
    rows = _first_objects(block.content, _LOOKED_AT)
    keys = list(dict.fromkeys(key for row in rows for key in row))
    if block.content.lstrip().startswith(b"[") and not keys:
        raise DataError(f"{file.path} is a JSON array; write one object a line instead.")
    if keys:
        check_columns(wanted, keys, file.path)
    # Two roles may share one column, which a schema names once.
    kinds = {column: pa.string() for column in wanted.values()}
    for role, column in wanted.items():
        if role in LIST_ROLES and not any(isinstance(row.get(column), str) for row in rows):
            kinds[column] = pa.list_(pa.string())
    return pa.schema(list(kinds.items()))


def _first_objects(content: bytes, lines: int) -> list[dict[str, object]]:
    found = []
    for line in content.split(b"\n", lines)[:lines]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            found.append(row)
    return found


def _with_numbers(schema: pa.Schema, content: bytes) -> pa.Schema:
    """Expect numbers where a block begins with them: pyarrow takes none for a string."""
    rows = _first_objects(content, _LOOKED_AT_IN_BLOCK)
    values = {name: [v for row in rows if (v := row.get(name)) is not None] for name in schema.names}
    whole = {name for name, found in values.items() if found and all(type(v) is int for v in found)}
    return pa.schema(
        [
            pa.field(f.name, pa.int64()) if f.name in whole and pa.types.is_string(f.type) else f
            for f in schema
        ]
    )


def _parse(block: Block, wanted: dict[str, str], schema: pa.Schema, file: str) -> RawBatch:
    content = block.content
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(content, np.uint8) == 10) + 1])
    filled = np.flatnonzero(np.diff(starts) > 1)
    if len(filled) < len(starts) - 1:
        content = b"".join(content[starts[i] : starts[i + 1]] for i in filled)
        starts = np.concatenate([[0], np.cumsum(np.diff(starts)[filled])])
    parsed = parse_objects(content, starts, _with_numbers(schema, content))
    numbers = block.first_line + filled
    columns = {role: parsed.table[column] for role, column in wanted.items()}
    bad = bad_lines(
        (int(numbers[i]) for i, _ in parsed.bad),
        (reason for _, reason in parsed.bad),
        (content[starts[i] : starts[i + 1]] for i, _ in parsed.bad),
    )
    lines = pa.array(numbers[parsed.good], pa.int64())
    rows, broken = parse_list_columns(pa.table({LINE: lines, **columns}))
    return RawBatch(rows, pa.concat_tables([bad, broken]), file)
