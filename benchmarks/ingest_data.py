"""CSV files for the ingest benchmark: clean rows, and the same rows with bad ones among them."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

LABELS = ("negative", "neutral", "positive")
BAD_SHARE = 0.001
HEADER = b"text,label\n"

_WORDS_A_TEXT = 10
_ROWS_AT_ONCE = 200_000
_WORDS = (  # noqa: SIM905 - a list would take a hundred lines
    "the of and to in is you that it he was for on are as with his they at be this have from or one had by "
    "word but not what all were we when your can said there use an each which she do how their if will up "
    "other about out many then them these so some her would make like him into time has look two more write"
).split()

BAD_ROWS = (
    b"only one field\n",
    b"one,two,three\n",
    b",positive\n",
    b'"   ",positive\n',
    b"a text without a label,\n",
    b"a text of an unknown label,sideways\n",
    b"caf\xe9 in another encoding,negative\n",
    b"uneven caf\xe9\n",
    b"nothing\x00 here,negative\n",
    "lost \ufffd character,neutral\n".encode(),
    b'"never closed,neutral\n',
    b'stray 5" and then,"never closed\n',
)
"""One of every kind that a CSV can hold; two further kinds repeat the row before, plainly and in capitals."""

KINDS = len(BAD_ROWS) + 2


@dataclass(frozen=True)
class Files:
    """The two files of one size.

    Args:
        clean: Rows without a fault.
        dirty: The same rows and the bad ones between them.
        bad: How many bad rows the second one has.
    """

    clean: Path
    dirty: Path
    bad: int


def make_files(folder: Path, rows: int) -> Files:
    """Write both files, or take those that are there."""
    files = Files(folder / f"clean-{rows}.csv", folder / f"dirty-{rows}.csv", round(rows * BAD_SHARE))
    if files.clean.exists() and files.dirty.exists():
        return files
    folder.mkdir(parents=True, exist_ok=True)
    parts = [p.with_suffix(".part") for p in (files.clean, files.dirty)]
    with parts[0].open("wb") as clean, parts[1].open("wb") as dirty:
        clean.write(HEADER)
        dirty.write(HEADER)
        for lines, first in _blocks(rows):
            clean.write(_joined(lines))
            dirty.writelines(_with_bad(lines, first))
    for part, path in zip(parts, (files.clean, files.dirty), strict=True):
        part.rename(path)
    return files


def _blocks(rows: int) -> Iterator[tuple[pa.Array, int]]:
    """Yield lines, no two with the same text, and the number of rows before them."""
    generator = np.random.default_rng(0)
    words, labels = pa.array(_WORDS), pa.array(LABELS)
    for first in range(0, rows, _ROWS_AT_ONCE):
        count = min(_ROWS_AT_ONCE, rows - first)
        drawn = generator.integers(0, len(_WORDS), (_WORDS_A_TEXT, count))
        columns = [words.take(pa.array(column)) for column in drawn]
        numbers = pa.array(np.arange(first, first + count)).cast(pa.string())
        text = pc.binary_join_element_wise(*columns, numbers, " ")
        label = labels.take(pa.array(generator.integers(0, len(LABELS), count)))
        yield pc.binary_join_element_wise(text, label, ","), first


def _joined(lines: pa.Array) -> bytes:
    text: str = pc.binary_join(pa.scalar(lines, pa.list_(lines.type)), "\n").as_py()
    return text.encode() + b"\n"


def _with_bad(lines: pa.Array, first: int) -> Iterator[bytes]:
    """Put a bad row behind every thousandth one, the kinds in turn."""
    every = round(1 / BAD_SHARE)
    for start in range(0, len(lines), every):
        block = lines[start : start + every]
        yield _joined(block)
        if len(block) < every:
            return
        kind = (first + start) // every % KINDS
        last = block[-1].as_py().encode() + b"\n"
        text, _, label = last.rpartition(b",")
        yield (*BAD_ROWS, last, text.upper() + b"," + label)[kind]
