"""Look at the beginning of a file: its columns and some of their values, before anything is configured."""

import csv
import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Literal

import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import ConfigError, DataError
from models.schemas import SourceConfig
from tasks.io.sources import format_of
from tasks.io.sources.files import File, find_files, line_blocks, opened

ROWS = 2000

Columns = dict[str, list[object]]
"""Values by column, in the order of the columns."""


def sample_file(path: Path) -> tuple[str, Columns]:
    """Read the first rows of a file.

    Returns:
        The format, and the values by column; a file without a header has numbers as names. CoNLL files
        have none, as their columns are positions.

    Raises:
        ConfigError: Its format can't be told from its name, or only a config could say more.
        DataError: It can't be read or holds no rows.
    """
    kind = format_of(SourceConfig(address=str(path)))
    file = find_files(str(path))[0]
    if kind == "conll":
        return kind, {}
    if kind in ("csv", "tsv"):
        columns = _delimited(_lines(file), "," if kind == "csv" else "\t")
    elif kind == "jsonl":
        columns = _objects(_lines(file))
    elif kind == "parquet":
        columns = _parquet(file)
    else:
        raise ConfigError(f"{path}: a first description is written from a file of rows, not from {kind}.")
    if not any(columns.values()):
        raise DataError(f"{path} holds no rows that can be read.")
    return kind, columns


def _lines(file: File) -> list[str]:
    with opened(file) as stream:
        block = next(line_blocks(stream, file), None)
    content = block.content if block else b""
    return [line.decode("utf-8", "replace") for line in content.split(b"\n", ROWS)[:ROWS] if line.strip()]


def _delimited(lines: list[str], delimiter: str) -> Columns:
    quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if delimiter == "," else csv.QUOTE_NONE
    try:
        rows = list(csv.reader(lines, delimiter=delimiter, quoting=quoting))
    except csv.Error as error:
        raise DataError(f"The first {ROWS} lines can't be told apart into fields: {error}.") from error
    if not rows:
        return {}
    header, body = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    # A name that is also a value is no name: the first line is a row like the others.
    if any(name in {row[i] for row in body} for i, name in enumerate(header)):
        header, body = [str(i) for i in range(len(header))], [rows[0], *body]
    return {name: [row[i] for row in body] for i, name in enumerate(header)}


def _objects(lines: list[str]) -> Columns:
    rows = list(_readable(lines))
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def _readable(lines: list[str]) -> Iterator[dict[str, object]]:
    for line in lines:
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            continue
        if isinstance(row, dict):
            yield row


def _parquet(file: File) -> Columns:
    try:
        with opened(file) as stream, pq.ParquetFile(stream) as content:
            batch = next(islice(content.iter_batches(ROWS), 1), None)
    except pa.ArrowInvalid as error:
        raise DataError(f"{file.path} is no readable Parquet file: {error}.") from error
    return batch.to_pydict() if batch is not None else {}
