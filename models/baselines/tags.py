"""What the baselines for tags share: tags as numbers (O is 0, B- of type i is 2i + 1, I- is 2i + 2)."""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.metrics.scores import index_of
from models.ragged import Ragged


def tag_names(labels: tuple[str, ...]) -> tuple[str, ...]:
    """Name O and each type's B- and I-, in the adapter's order."""
    return ("O", *(f"{prefix}-{label}" for label in labels for prefix in "BI"))


def flat_tags(rows: pa.Table, labels: tuple[str, ...]) -> np.ndarray:
    """Give the number of every word's tag, all rows end to end."""
    return index_of(pc.list_flatten(rows["tags"]), tag_names(labels))


def make_valid(tags: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Turn each I- that follows no B- or I- of its type into B-, as strict IOB2 asks.

    Args:
        tags: (words,) numbers, all rows end to end.
        lengths: (rows,) words of each row.
    """
    before = np.concatenate([[0], tags[:-1]])[: len(tags)]
    starts = (np.cumsum(lengths) - lengths)[lengths > 0]
    before[starts] = 0
    inside = (tags > 0) & (tags % 2 == 0)
    orphan = inside & ((before == 0) | ((before + 1) // 2 != (tags + 1) // 2))
    return np.where(orphan, tags - 1, tags)


def answers(
    tags: np.ndarray, confidences: np.ndarray, lengths: np.ndarray, labels: tuple[str, ...]
) -> pa.Table:
    """Turn tags and confidences of all words, end to end, into prediction columns."""
    valid = make_valid(tags, lengths)
    names = pa.array(tag_names(labels), pa.string()).take(pa.array(valid, pa.int64()))
    words = Ragged.from_lengths(confidences, lengths)
    lowest = np.ones(len(lengths))
    np.minimum.at(lowest, words.owners, confidences)
    return pa.table(
        {
            "tags": pa.ListArray.from_arrays(pa.array(words.offsets, pa.int32()), names),
            "confidence": pa.array(lowest, pa.float64()),
            "confidences": words.to_arrow(pa.float64()),
        }
    )
