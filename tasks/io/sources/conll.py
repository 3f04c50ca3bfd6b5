"""Source `conll`: a token a line, columns between tabs or blanks, sentences between empty lines."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import ADAPTERS
from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import LINE, TEXTS, Part, RawBatch, as_unchecked_string, bad_lines
from tasks.io.sources.files import File, check_length, find_files, opened, read_chunks

GIVES = ("tokens", "tags")
TOO_FEW = "too few columns"
_DOCUMENT = "-DOCSTART-"


@dataclass(frozen=True)
class _Layout:
    token: int
    tag: int
    tabbed: bool
    file: str


class ConllSource:
    """Sentences of CoNLL files.

    Args:
        config: Where the files are and which columns hold token and tag.
        adapter: The task type; only one of tokens and tags fits, or TEXTS.

    Raises:
        DataError: The adapter needs other columns.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        if adapter != TEXTS and not set(ADAPTERS[adapter].columns().names) <= set(GIVES):
            raise DataError(f"{config.address}: CoNLL columns hold tags; they don't fit {adapter}.")
        self.config = config

    def parts(self) -> Iterator[Part]:
        """Read blocks of whole sentences; parsing is left to the parts."""
        for file in find_files(self.config.address):
            with opened(file) as stream:
                yield from self._file_parts(read_chunks(stream, file), file)

    def _file_parts(self, chunks: Iterator[bytes], file: File) -> Iterator[Part]:
        rest, line, layout = b"", 1, None
        for chunk in chunks:
            rest += chunk
            cut = _last_empty_line(rest)
            if cut:
                layout = layout or self._layout(rest, file)
                yield partial(_parse, rest[:cut], line, layout)
                line += rest.count(b"\n", 0, cut)
                rest = rest[cut:]
            check_length(rest, line, file)
        if rest:
            yield partial(_parse, rest + b"\n", line, layout or self._layout(rest, file))

    def _layout(self, content: bytes, file: File) -> _Layout:
        first = next((x for x in content.split(b"\n", 1000) if x.strip() and not x.startswith(b"-DOC")), b"")
        return _Layout(self.config.token_index, self.config.tag_index, b"\t" in first, file.name)


def _last_empty_line(content: bytes) -> int:
    """Give the end of the last line without columns, 0 if there is none."""
    end = content.rfind(b"\n") + 1
    while end:
        begin = content.rfind(b"\n", 0, end - 1) + 1
        if not content[begin:end].strip():
            return end
        end = begin
    return 0


def _parse(content: bytes, first_line: int, layout: _Layout) -> RawBatch:
    """Split lines into columns and gather them by sentence; one short line spoils its sentence."""
    starts = np.concatenate([[0], np.flatnonzero(np.frombuffer(content, np.uint8) == 10) + 1])
    lines = _lines(content, starts)
    blank = pc.equal(pc.binary_length(pc.ascii_trim_whitespace(lines)), 0).to_numpy(zero_copy_only=False)
    document = pc.starts_with(lines, _DOCUMENT).to_numpy(zero_copy_only=False)
    aside = blank | document
    owner = np.cumsum(aside)[~aside]
    kept = lines.filter(pa.array(~aside))
    numbers = first_line + np.flatnonzero(~aside)
    columns = (
        pc.split_pattern(kept, "\t")
        if layout.tabbed
        else pc.ascii_split_whitespace(pc.ascii_trim_whitespace(kept))
    )
    widths = pc.list_value_length(columns).to_numpy()
    wrong = widths < max(layout.token, layout.tag, 1) + 1
    begins = np.flatnonzero(np.diff(owner, prepend=-1))
    offsets = np.append(begins, len(owner))
    spoiled = np.add.reduceat(wrong, begins) > 0 if len(begins) else np.zeros(0, bool)
    first_wrong = numbers[_first_in_each(wrong, offsets[:-1][spoiled], offsets[1:][spoiled])]
    flat, ends = columns.values, columns.offsets.to_numpy()
    tags = ends[1:] - 1 if layout.tag < 0 else ends[:-1] + layout.tag
    safe = np.where(wrong, 0, 1)
    rows = pa.table(
        {
            LINE: pa.array(numbers[begins], pa.int64()),
            "tokens": _gather(flat, (ends[:-1] + layout.token) * safe, offsets),
            "tags": _gather(flat, tags * safe, offsets),
        }
    )
    contents = [content[starts[n - first_line] : starts[n - first_line + 1]] for n in first_wrong]
    bad = bad_lines(first_wrong.tolist(), [TOO_FEW] * len(contents), contents)
    return RawBatch(rows.filter(pa.array(~spoiled)), bad, layout.file)


def _lines(content: bytes, starts: np.ndarray) -> pa.Array:
    """See the block as one string a line, its line feed included, without a copy."""
    offsets = pa.py_buffer(starts.astype(np.int64))
    buffers = [None, offsets, pa.py_buffer(content)]
    values = pa.Array.from_buffers(pa.large_binary(), len(starts) - 1, buffers)
    return (
        pc.binary_replace_slice(as_unchecked_string(values).cast(pa.binary()), -1, 1 << 30, b"")
        .cast(pa.binary())
        .view(pa.string())
    )


def _gather(values: pa.Array, places: np.ndarray, offsets: np.ndarray) -> pa.ListArray:
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values.take(pa.array(places)))


def _first_in_each(wrong: np.ndarray, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
    """Give the position of the first wrong line of each sentence that has one."""
    places = np.flatnonzero(wrong)
    first = places[np.searchsorted(places, begins)] if len(begins) else places[:0]
    return first[first < ends] if len(begins) else first
