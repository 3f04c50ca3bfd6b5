"""Source `csv` (quoted, comma) and `tsv` (tab, never quoted), parsed by pyarrow block by block.

A file whose mapped columns are all numbers has no header: they are positions, counting from 0.
"""

import csv
from collections.abc import Iterator
from functools import partial
from typing import Literal

import numpy as np

from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import Part, check_columns, wanted_columns
from tasks.io.sources.delimited_parse import Layout, parse_records
from tasks.io.sources.files import File, check_length, find_files, opened, read_chunks
from tasks.io.sources.records import Records, find_records


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
                yield partial(parse_records, content[: records.end], line, records, layout)
                line += content.count(b"\n", 0, records.end)
                content = content[records.end :]
            rest = content
            check_length(rest, line, file)
        if rest:
            yield from self._last(rest if rest.endswith(b"\n") else rest + b"\n", line, layout, file)

    def _last(self, content: bytes, line: int, layout: Layout | None, file: File) -> Iterator[Part]:
        if layout is None:
            layout, used, lines = self._layout(content, file)
            content, line = content[used:], line + lines
        if content:
            records = self._records(content, layout, final=True)
            yield partial(parse_records, content, line, records, layout)

    def _records(self, content: bytes, layout: Layout, *, final: bool) -> Records:
        if not self.quoted:
            starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(content, np.uint8) == 10) + 1])
            lines = np.arange(len(starts) - 1)
            return Records(starts, lines, np.zeros(len(lines), bool), len(content))
        return find_records(content, self.delimiter, len(layout.names), final=final)

    def _layout(self, content: bytes, file: File) -> tuple[Layout, int, int]:
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
        layout = Layout(names, self.wanted, self.delimiter, self.quoted, file.name)
        return layout, end if header else begin, content.count(b"\n", 0, end if header else begin)


def csv_source(config: SourceConfig, adapter: AdapterName) -> DelimitedSource:
    """Make a source of quoted fields between commas."""
    return DelimitedSource(config, adapter, ",", quoted=True)


def tsv_source(config: SourceConfig, adapter: AdapterName) -> DelimitedSource:
    """Make a source of plain fields between tabs; a quote is a character like others."""
    return DelimitedSource(config, adapter, "\t", quoted=False)
