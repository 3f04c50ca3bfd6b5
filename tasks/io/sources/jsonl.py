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

_LOOKED_AT = 100


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
                for block in line_blocks(stream, file):
                    if block.first_line == 1:
                        _check_keys(block, self.wanted, file)
                    yield partial(_parse, block, self.wanted, file.name)


def _check_keys(block: Block, wanted: dict[str, str], file: File) -> None:
    """Look at the first lines: a mapped key that none of them has is a wrong mapping.

    Raises:
        DataError: There is such a key, or the file is one JSON array.
    """
    keys: dict[str, None] = {}
    for line in block.content.split(b"\n", _LOOKED_AT)[:_LOOKED_AT]:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        keys.update(dict.fromkeys(row if isinstance(row, dict) else ()))
    if block.content.lstrip().startswith(b"[") and not keys:
        raise DataError(f"{file.path} is a JSON array; write one object a line instead.")
    if keys:
        check_columns(wanted, list(keys), file.path)


def _parse(block: Block, wanted: dict[str, str], file: str) -> RawBatch:
    content = block.content
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(content, np.uint8) == 10) + 1])
    filled = np.flatnonzero(np.diff(starts) > 1)
    if len(filled) < len(starts) - 1:
        content = b"".join(content[starts[i] : starts[i + 1]] for i in filled)
        starts = np.concatenate([[0], np.cumsum(np.diff(starts)[filled])])
    parsed = parse_objects(content, starts, _schema(wanted))
    numbers = block.first_line + filled
    columns = {role: parsed.table[column] for role, column in wanted.items()}
    bad = bad_lines(
        (int(numbers[i]) for i, _ in parsed.bad),
        (reason for _, reason in parsed.bad),
        (content[starts[i] : starts[i + 1]] for i, _ in parsed.bad),
    )
    return RawBatch(pa.table({LINE: pa.array(numbers[parsed.good], pa.int64()), **columns}), bad, file)


def _schema(wanted: dict[str, str]) -> pa.Schema:
    listed, plain = pa.list_(pa.string()), pa.string()
    # Two roles may share one column, which a schema names once.
    kinds = {column: listed if role in LIST_ROLES else plain for role, column in wanted.items()}
    return pa.schema(list(kinds.items()))
