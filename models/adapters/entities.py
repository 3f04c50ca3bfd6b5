"""Entities as a user reads them: label, text, first and last word."""

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.bio import find_spans
from models.ragged import Ragged


def join_entities(tokens: pa.ListArray, tags: Ragged, labels: Sequence[str]) -> pa.ListArray:
    """Join tags into entities: a list of structs a row.

    Args:
        tokens: (rows,) the words of each row.
        tags: The number of each word's tag, as in `models/adapters/bio.py`.
        labels: The entity types in order.
    """
    spans = find_spans(tags)
    lengths = spans.ends - spans.starts
    ends = np.concatenate([[0], np.cumsum(lengths)])
    words = np.arange(ends[-1]) - np.repeat(ends[:-1] - spans.starts, lengths)
    texts = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), tokens.flatten().take(pa.array(words)))
    fields = {
        "label": pa.array(labels).take(pa.array(spans.types)),
        "text": pc.binary_join(texts, " "),
        "first": pa.array(spans.starts - tags.offsets[spans.rows], pa.int64()),
        "last": pa.array(spans.ends - 1 - tags.offsets[spans.rows], pa.int64()),
    }
    structs = pa.StructArray.from_arrays(list(fields.values()), names=list(fields))
    counts = np.bincount(spans.rows, minlength=len(tokens))
    return pa.ListArray.from_arrays(pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()), structs)
