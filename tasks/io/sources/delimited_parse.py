"""Parse records of delimited text with pyarrow; records that are no rows are put aside with their lines."""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv

from models.adapters.rows import ENCODING
from models.text_encoding import invalid_utf8
from tasks.io.sources.base import LINE, RawBatch, as_unchecked_string, bad_lines
from tasks.io.sources.lists import parse_list_columns
from tasks.io.sources.records import UNCLOSED, Records, fields_of

FIELD_COUNT = "wrong number of fields"

# So few records with quotes are looked at one by one; where there are more, only if pyarrow stumbles.
_FEW_SHARE = 0.01


@dataclass(frozen=True)
class Layout:
    """What all blocks of a file share.

    Args:
        names: The file's columns.
        wanted: The column by role.
        delimiter: One character.
        quoted: Whether fields may stand in double quotes.
        file: The file's name.
    """

    names: list[str]
    wanted: dict[str, str]
    delimiter: str
    quoted: bool
    file: str


@dataclass(frozen=True)
class _Parsed:
    """Columns by name, and the positions of the records that became rows and of those with uneven fields."""

    columns: dict[str, pa.Array]
    rows: np.ndarray
    uneven: np.ndarray


def parse_records(content: bytes, first_line: int, records: Records, layout: Layout) -> RawBatch:
    """Parse a block of whole records.

    Args:
        content: The block.
        first_line: Line of its beginning in the file.
        records: Where its records are.
        layout: The file's columns.
    """
    aside = {int(i): UNCLOSED for i in np.flatnonzero(records.unclosed)}
    keep = (np.diff(records.starts) > 1) & ~records.unclosed
    unreadable = keep & invalid_utf8(_values(content, records))
    quoted = _with_quotes(content, records)
    few = quoted.sum() < _FEW_SHARE * len(quoted)
    aside |= _put_aside(unreadable | quoted if few else unreadable, keep, content, records, layout)
    # pyarrow can't hand an uneven record that is no UTF-8 to its handler, so none gets there.
    aside |= dict.fromkeys(np.flatnonzero(unreadable & keep).tolist(), ENCODING)
    keep &= ~unreadable
    parsed = _parse_together(content, records, keep, layout)
    if parsed is None:
        aside |= _put_aside(quoted, keep, content, records, layout)
        parsed = _parse_together(content, records, keep, layout) or _parse_each(
            content, records, keep, layout
        )
    aside |= {int(i): FIELD_COUNT for i in parsed.uneven}
    places = sorted(aside)
    bad = bad_lines(
        (first_line + int(records.lines[i]) for i in places),
        (aside[i] for i in places),
        (_record(content, records, i) for i in places),
    )
    rows = {role: as_unchecked_string(parsed.columns[column]) for role, column in layout.wanted.items()}
    lines = pa.array(first_line + records.lines[parsed.rows], pa.int64())
    table, broken = parse_list_columns(pa.table({LINE: lines, **rows}))
    return RawBatch(table, pa.concat_tables([bad, broken]), layout.file)


def _record(content: bytes, records: Records, i: int) -> bytes:
    return content[records.starts[i] : records.starts[i + 1]]


def _parse_together(content: bytes, records: Records, keep: np.ndarray, layout: Layout) -> _Parsed | None:
    """Parse the kept records with pyarrow; None if it can't tell them apart."""
    kept = np.flatnonzero(keep)
    if not len(kept):
        return _Parsed({c: pa.array([], pa.binary()) for c in layout.wanted.values()}, kept, kept)
    uneven: list[int] = []

    def note(row: pacsv.InvalidRow) -> str:
        uneven.append(row.number - 1)
        return "skip"

    text = content if keep.all() else _join(content, records, keep)
    try:
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
                include_columns=sorted(set(layout.wanted.values())),
                strings_can_be_null=False,
            ),
        )
    except pa.ArrowInvalid:
        return None
    rows = np.delete(kept, uneven)
    if len(rows) != len(table):
        # A quote that opens behind a stray one has swallowed the end of its line.
        return None
    return _Parsed({n: table[n].combine_chunks() for n in table.column_names}, rows, kept[uneven])


def _join(content: bytes, records: Records, keep: np.ndarray) -> bytes:
    """Put the kept records together, run by run."""
    edges = np.flatnonzero(np.diff(keep.astype(np.int8), prepend=0, append=0))
    places = records.starts[edges].tolist()
    return b"".join(content[a:b] for a, b in zip(places[::2], places[1::2], strict=True))


def _values(content: bytes, records: Records) -> pa.Array:
    """See the records as one binary array without a copy."""
    buffers = [None, pa.py_buffer(records.starts.astype(np.int64)), pa.py_buffer(content)]
    return pa.Array.from_buffers(pa.large_binary(), len(records.lines), buffers)


def _with_quotes(content: bytes, records: Records) -> np.ndarray:
    """Tell which records hold a quote."""
    found = np.zeros(len(records.lines), bool)
    if b'"' in content:
        quotes = np.flatnonzero(np.frombuffer(content, np.uint8) == 34)
        found[np.searchsorted(records.starts, quotes[quotes < records.starts[-1]], side="right") - 1] = True
    return found


def _put_aside(
    suspects: np.ndarray, keep: np.ndarray, content: bytes, records: Records, layout: Layout
) -> dict[int, str]:
    """Look alone at each suspect; take those that are no rows out of `keep`, and say why."""
    found: dict[int, str] = {}
    for i in np.flatnonzero(suspects & keep).tolist():
        fields = fields_of(_record(content, records, i), layout.delimiter, quoted=layout.quoted)
        if fields is None:
            found[i] = UNCLOSED
        elif len(fields) != len(layout.names):
            found[i] = FIELD_COUNT
    keep[list(found)] = False
    return found


def _parse_each(content: bytes, records: Records, keep: np.ndarray, layout: Layout) -> _Parsed:
    """Parse record by record: slow, for blocks that pyarrow can't tell apart at all."""
    values: dict[str, list[bytes]] = {name: [] for name in layout.wanted.values()}
    rows, uneven = [], []
    for i in np.flatnonzero(keep).tolist():
        fields = fields_of(_record(content, records, i), layout.delimiter, quoted=layout.quoted) or []
        if len(fields) != len(layout.names):
            uneven.append(i)
            continue
        rows.append(i)
        for name, column in values.items():
            column.append(fields[layout.names.index(name)].encode("utf-8", "surrogateescape"))
    columns = {name: pa.array(v, pa.binary()) for name, v in values.items()}
    return _Parsed(columns, np.array(rows, np.int64), np.array(uneven, np.int64))
