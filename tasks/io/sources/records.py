"""Where the records of delimited text begin and end, when quotes may hide line ends or be left open."""

import csv
from dataclasses import dataclass

import numpy as np

LONGEST_RECORD_LINES = 1000
UNCLOSED = "unclosed quote"


@dataclass(frozen=True)
class Records:
    """The records of a block.

    Args:
        starts: (records + 1,) int64, where each begins; the last entry is the end of the last one.
        lines: (records,) int64, line of each beginning, counting from 0 in the block.
        unclosed: (records,) bool, True where a quote is opened and never closed.
        end: What lies behind may go on in the next block.
    """

    starts: np.ndarray
    lines: np.ndarray
    unclosed: np.ndarray
    end: int


def find_records(content: bytes, delimiter: str, fields: int, *, final: bool) -> Records:
    """Find the records of a block of whole lines.

    A line with an even number of quotes is taken as a record. One with an odd number is joined with
    the lines up to the next such line if that makes a record with `fields` fields; if not, the line
    stands for itself, so that one open quote never swallows the good lines behind it.
    """
    codes = np.frombuffer(content, np.uint8)
    starts = np.concatenate([[0], np.flatnonzero(codes == 10) + 1])
    lines = np.arange(len(starts) - 1)
    odd = _odd_lines(codes, starts) if b'"' in content else lines[:0]
    if not len(odd):
        return Records(starts, lines, np.zeros(len(lines), bool), len(content))
    return _joined(content, starts, odd, (delimiter, fields, final))


def _odd_lines(codes: np.ndarray, starts: np.ndarray) -> np.ndarray:
    quotes = np.searchsorted(np.flatnonzero(codes == 34), starts)
    return np.flatnonzero(np.diff(quotes) & 1)


def _joined(content: bytes, starts: np.ndarray, odd: np.ndarray, how: tuple[str, int, bool]) -> Records:
    delimiter, fields, final = how
    count = len(starts) - 1
    inside, unclosed = np.zeros(count, bool), np.zeros(count, bool)
    at, end = 0, count
    while at < len(odd):
        line = int(odd[at])
        after = int(odd[at + 1]) if at + 1 < len(odd) else None
        if after is None and not final and count - line < LONGEST_RECORD_LINES:
            end = line
            break
        if after is not None and after - line < LONGEST_RECORD_LINES:
            whole = fields_of(content[starts[line] : starts[after + 1]], delimiter)
            if whole is not None and len(whole) == fields:
                inside[line + 1 : after + 1] = True
                at += 2
                continue
        unclosed[line] = fields_of(content[starts[line] : starts[line + 1]], delimiter) is None
        at += 1
    begins = np.flatnonzero(~inside[:end])
    return Records(np.append(starts[begins], starts[end]), begins, unclosed[begins], int(starts[end]))


def fields_of(content: bytes, delimiter: str, *, quoted: bool = True) -> list[str] | None:
    """Split one record into its fields; None if it is not exactly one well-quoted record."""
    text = content.decode("utf-8", "surrogateescape")
    if not quoted:
        return text.removesuffix("\n").split(delimiter)
    if len(text) > csv.field_size_limit():
        # The standard limit is 128 kB; a file's longest line is limited where it is read.
        csv.field_size_limit(len(text))
    try:
        rows = list(csv.reader([text], delimiter=delimiter, strict=True))
    except csv.Error:
        return None
    return rows[0] if len(rows) == 1 else None
