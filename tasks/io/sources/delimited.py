"""Source `csv` (quoted, comma) and `tsv` (tab, never quoted), parsed by pyarrow block by block.

A file whose mapped columns are all numbers has no header: they are positions, counting from 0.
"""

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import Literal

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import (
    LINE,
    Part,
    RawBatch,
    as_unchecked_string,
    bad_lines,
    check_columns,
    wanted_columns,
)
from tasks.io.sources.files import File, check_length, find_files, opened, read_chunks
from tasks.io.sources.lists import parse_list_columns
from tasks.io.sources.records import UNCLOSED, Records, find_records, is_record

FIELD_COUNT = "wrong number of fields"


@dataclass(frozen=True)
class _Layout:
    """What all blocks of a file share."""

    names: list[str]
    wanted: dict[str, str]
    delimiter: str
    quoted: bool
    file: str


class DelimitedSource:
    """Rows of CSV or TSV files.

    Args:
        config: Where the files are and how their columns map.
        adapter: The task type, which decides the columns.
        delimiter: One character.
        quoted: Whether fields may stand in double quotes.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName, delimiter: str, *, quoted: bool) -> None:
        self.config = config
        self.wanted = wanted_columns(config, adapter)
        self.delimiter = delimiter
        self.quoted = quoted

    def parts(self) -> Iterator[Part]:
        """Read blocks of whole records; parsing is left to the parts."""
        for file in find_files(self.config.address):
            with opened(file) as stream:
                yield from self._file_parts(file, read_chunks(stream, file))

    def _file_parts(self, file: File, chunks: Iterator[bytes]) -> Iterator[Part]:
        rest, line, layout = b"", 1, None
        for chunk in chunks:
            content = rest + chunk
            cut = content.rfind(b"\n") + 1
            if layout is None and cut:
                layout, used, lines = self._layout(content, file)
                content, cut, line = content[used:], cut - used, line + lines
            if layout is not None and cut:
                records = self._records(content[:cut], layout, final=False)
                yield partial(_parse, content[: records.end], line, records, layout)
                line += content.count(b"\n", 0, records.end)
                content = content[records.end :]
            rest = content
            check_length(rest, line, file)
        if rest:
            yield from self._last(rest if rest.endswith(b"\n") else rest + b"\n", line, layout, file)

    def _last(self, content: bytes, line: int, layout: _Layout | None, file: File) -> Iterator[Part]:
        if layout is None:
            layout, used, lines = self._layout(content, file)
            content, line = content[used:], line + lines
        if content:
            records = self._records(content, layout, final=True)
            yield partial(_parse, content, line, records, layout)

    def _records(self, content: bytes, layout: _Layout, *, final: bool) -> Records:
        if not self.quoted:
            starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(content, np.uint8) == 10) + 1])
            lines = np.arange(len(starts) - 1)
            return Records(starts, lines, np.zeros(len(lines), bool), len(content))
        return find_records(content, self.delimiter, len(layout.names), final=final)

    def _layout(self, content: bytes, file: File) -> tuple[_Layout, int, int]:
        """Read the header; give the layout, the bytes and the lines it takes."""
        begin = len(content) - len(content.lstrip(b"\n"))
        end = content.find(b"\n", begin) + 1
        quoting: Literal[0, 3] = csv.QUOTE_MINIMAL if self.quoted else csv.QUOTE_NONE
        text = content[begin:end].decode("utf-8", "replace").rstrip("\n")
        names = next(csv.reader([text], delimiter=self.delimiter, quoting=quoting), [])
        header = not all(column.isdecimal() for column in self.wanted.values())
        if not header:
            names = [str(i) for i in range(len(names))]
        check_columns(self.wanted, names, file.path)
        layout = _Layout(names, self.wanted, self.delimiter, self.quoted, file.name)
        return layout, end if header else begin, content.count(b"\n", 0, end if header else begin)


def _parse(content: bytes, first_line: int, records: Records, layout: _Layout) -> RawBatch:
    """Parse a block; lines that are no rows are put aside, the rest keeps its line numbers."""
    lengths = np.diff(records.starts)
    blank = lengths <= 1
    wrong = records.unclosed & ~blank
    aside = [(int(i), UNCLOSED) for i in np.flatnonzero(wrong)]
    table, numbers, uneven = _parse_records(content, records, ~(blank | wrong), layout)
    if len(numbers) != len(table):
        # A quote that opens behind a stray one has swallowed line ends: look at each line with quotes.
        kept = np.flatnonzero(~(blank | wrong)).tolist()
        odd = [i for i in kept if not _stands_alone(content, records, i, layout)]
        wrong[odd] = True
        aside += [(int(i), UNCLOSED) for i in odd]
        table, numbers, uneven = _parse_records(content, records, ~(blank | wrong), layout)
        if len(numbers) != len(table):
            raise DataError(f"{layout.file}: the records after line {first_line} can't be told apart.")
    aside += [(int(i), FIELD_COUNT) for i in uneven]
    aside.sort()
    bad = bad_lines(
        (first_line + int(records.lines[i]) for i, _ in aside),
        (reason for _, reason in aside),
        (content[records.starts[i] : records.starts[i + 1]] for i, _ in aside),
    )
    lines = pa.array(first_line + records.lines[numbers], pa.int64())
    rows = {
        role: as_unchecked_string(table[column].combine_chunks()) for role, column in layout.wanted.items()
    }
    table, broken = parse_list_columns(pa.table({LINE: lines, **rows}))
    return RawBatch(table, pa.concat_tables([bad, broken]), layout.file)


def _stands_alone(content: bytes, records: Records, i: int, layout: _Layout) -> bool:
    record = content[records.starts[i] : records.starts[i + 1]]
    return b'"' not in record or is_record(record, layout.delimiter, None)


def _parse_records(
    content: bytes, records: Records, keep: np.ndarray, layout: _Layout
) -> tuple[pa.Table, np.ndarray, np.ndarray]:
    """Parse the kept records; give the rows, and the positions of rows and of uneven records."""
    kept = np.flatnonzero(keep)
    if not len(kept):
        return pa.table({c: pa.array([], pa.binary()) for c in layout.wanted.values()}), kept, kept
    uneven: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        uneven.append(row.number - 1)
        return "skip"

    parts = (content[records.starts[i] : records.starts[i + 1]] for i in kept)
    text = content if keep.all() else b"".join(parts)
    table = pacsv.read_csv(
        pa.py_buffer(text),
        pacsv.ReadOptions(use_threads=False, block_size=len(text) + 1, column_names=layout.names),
        pacsv.ParseOptions(
            delimiter=layout.delimiter,
            quote_char='"' if layout.quoted else False,
            newlines_in_values=layout.quoted,
            invalid_row_handler=note,
        ),
        pacsv.ConvertOptions(
            column_types=dict.fromkeys(layout.names, pa.binary()),
            include_columns=list(layout.wanted.values()),
            strings_can_be_null=False,
        ),
    )
    numbers = np.delete(kept, uneven)
    return table, numbers, kept[uneven]


def csv_source(config: SourceConfig, adapter: AdapterName) -> DelimitedSource:
    """Make a source of quoted fields between commas."""
    return DelimitedSource(config, adapter, ",", quoted=True)


def tsv_source(config: SourceConfig, adapter: AdapterName) -> DelimitedSource:
    """Make a source of plain fields between tabs; a quote is a character like others."""
    return DelimitedSource(config, adapter, "\t", quoted=False)
