"""Two entities of a sentence set between marks, and where the marks stand.

Marks are punctuation, which every vocabulary has (Zhou and Chen, "An Improved Baseline for Sentence-level
Relation Extraction", 2022, arXiv:2102.01373, sec. 2.2: entity marker, punct).
"""

from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.windows import Windows

HEAD, TAIL = "@", "#"


@dataclass(frozen=True)
class MarkedWords:
    """Sentences with their marks.

    Args:
        words: (rows,) lists of words, four marks among them.
        places: (rows, 2) the word that is the head's first mark, and the tail's.
    """

    words: pa.ListArray
    places: np.ndarray


def mark_entities(tokens: pa.ListArray, spans: np.ndarray) -> MarkedWords:
    """Set each row's head between @ and its tail between #.

    Args:
        tokens: (rows,) lists of words without nulls.
        spans: (rows, 2, 2) of head and tail, first and last word, each within its row.
    """
    words = tokens.flatten()
    lengths = pc.list_value_length(tokens).to_numpy(zero_copy_only=False).astype(np.int64)
    begins = np.cumsum(lengths) - lengths
    row, entity, end = (axis.ravel() for axis in np.indices(spans.shape))
    position = begins[row] + spans.ravel() + end
    # Of the marks at one place the closing ones come first, so that entities side by side stay apart.
    order = np.lexsort((entity, 1 - end, position, row))
    marks = len(words) + entity
    places = np.insert(np.arange(len(words)), position[order], marks[order])
    found = np.empty(len(order), np.int64)
    found[order] = position[order] + np.arange(len(order))
    offsets = np.concatenate([[0], np.cumsum(lengths + 4)])
    pool = pa.concat_arrays([words.cast(pa.string()), pa.array([HEAD, TAIL], pa.string())])
    marked = pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pool.take(pa.array(places)))
    return MarkedWords(marked, found.reshape(spans.shape)[:, :, 0] - offsets[:-1, None])


def mark_places(windows: Windows, places: np.ndarray) -> np.ndarray:
    """Find the sub-words that are the marks in each window, (windows, 2); -1 for one that is not in it.

    Args:
        windows: Of marked words.
        places: (rows, 2) as `mark_entities` gives them.
    """
    found = np.full((len(windows.rows), 2), -1)
    owners = windows.ids.owners
    for entity in (0, 1):
        hit = windows.starts & (windows.words == places[windows.rows[owners], entity])
        found[owners[hit], entity] = windows.ids.places[hit]
    return found


def read_spans(column: pa.ListArray) -> np.ndarray:
    """Read lists of a first and a last word, (rows, 2) int64; -1 for what is no such list.

    Args:
        column: (rows,) lists of two whole numbers, written out.
    """
    numbers = column.flatten()
    whole = pc.fill_null(pc.match_substring_regex(numbers, r"^\d{1,9}$"), False)
    values = pc.if_else(whole, numbers, "-1").cast(pa.int64()).to_numpy(zero_copy_only=False)
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    spans = np.full((len(column), 2), -1)
    pair = counts == 2
    spans[pair] = values[np.repeat(pair, counts)].reshape(-1, 2)
    return spans


def outside(spans: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Tell which spans are no places among their row's words, (rows,) bool.

    Args:
        spans: (rows, 2) first and last word.
        lengths: (rows,) words of each row.
    """
    wrong: np.ndarray = (spans[:, 0] < 0) | (spans[:, 1] < spans[:, 0]) | (spans[:, 1] >= lengths)
    return wrong
