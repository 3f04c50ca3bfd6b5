"""Which parts of the held-out rows are judged on their own: by source, domain, length and label."""

from collections.abc import Mapping

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.ragged import Ragged

# Fixed, so that a slice means the same in every snapshot.
LENGTHS = (("1-9", 1), ("10-24", 10), ("25+", 25))


def name_slices(rows: pa.Table, adapter: type[TaskAdapter] | TaskAdapter) -> pa.ListArray:
    """Name the slices that each row is in, as `kind=value`.

    Args:
        rows: Rows in a snapshot's schema, `source` and `domain` among its columns where they are known.
        adapter: Says what stands for a row, and which labels are in it.

    Returns:
        list<string>, one list a row; its `label=` is the row's class, or each entity type in it.
    """
    labels = adapter.labels_of(rows) if adapter.truth() in rows.column_names else None
    if adapter.reads_words:
        words = pc.list_value_length(rows[adapter.columns().names[0]])
    else:
        words = _count_words(adapter.texts(rows))
    return _pairs(rows, words, labels)


def name_text_slices(rows: pa.Table) -> pa.ListArray:
    """Name the slices that each plain text is in: its `source`, its `domain` and its length.

    Args:
        rows: `text`, `source` and `domain`.
    """
    return _pairs(rows, _count_words(rows["text"]), None)


def _pairs(rows: pa.Table, words: pa.ChunkedArray, labels: pa.Table | None) -> pa.ListArray:
    """List the slices of each row, by the number of its words and by its labels."""
    everyone = np.arange(rows.num_rows)
    parts = [_named(everyone, kind, rows[kind]) for kind in ("source", "domain") if kind in rows.column_names]
    parts.append(_named(everyone, "length", _length_bins(words)))
    if labels is not None:
        parts.append(_named(labels["row"].to_numpy(), "label", labels["label"]))
    pairs = pa.concat_tables(parts).group_by(["row", "name"]).aggregate([])
    pairs = pairs.sort_by([("row", "ascending"), ("name", "ascending")])
    offsets = np.searchsorted(pairs["row"].to_numpy(), np.arange(rows.num_rows + 1))
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pairs["name"].combine_chunks())


def masks_of(slices: pa.ChunkedArray | pa.Array) -> Mapping[str, np.ndarray]:
    """Turn the slices of each row into one (rows,) bool mask a slice, in order of their names."""
    names = Ragged.from_column(slices)
    found, place = np.unique(names.values.astype(str), return_inverse=True)
    masks = np.zeros((len(found), len(names.lengths)), dtype=bool)
    masks[place, names.owners] = True
    return dict(zip(found.tolist(), masks, strict=True))


def _named(row: np.ndarray, kind: str, values: pa.ChunkedArray | pa.Array) -> pa.Table:
    """Pair rows with `kind=value`; a row without a value is in no slice of that kind."""
    array = values.combine_chunks() if isinstance(values, pa.ChunkedArray) else values
    names = pc.binary_join_element_wise(kind, array.cast(pa.string()), "=")
    pairs = pa.table({"row": pa.array(row, pa.int64()), "name": names.cast(pa.string())})
    return pairs.filter(pc.is_valid(pairs["name"]))


def _count_words(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.count_substring_regex(texts, r"\S+")


def _length_bins(words: pa.ChunkedArray) -> pa.Array:
    """Give the bin of each row's number of words; a row without words is in the first."""
    edges = np.array([edge for _, edge in LENGTHS[1:]])
    bins = np.searchsorted(edges, pc.fill_null(words, 0).to_numpy(), side="right")
    return pa.array([name for name, _ in LENGTHS], pa.string()).take(pa.array(bins, pa.int64()))
