"""A column with a list of labels a row: renaming, measuring, and as zeros and ones."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc


def map_label_lists(labels: pa.ListArray, renames: Mapping[str, str]) -> pa.ListArray:
    """Rename on the distinct labels only; blanks around a label are cut off."""
    coded = pc.utf8_trim_whitespace(labels.flatten()).dictionary_encode()
    names = pa.array([renames.get(name, name) for name in coded.dictionary.to_pylist()], pa.string())
    counts = pc.fill_null(pc.list_value_length(labels), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    mask = pc.is_null(labels) if labels.null_count else None
    return pa.ListArray.from_arrays(offsets, names.take(coded.indices), mask=mask)


def count_unknown(lists: pa.ListArray, labels: Sequence[str]) -> pa.Array:
    """Count the labels of each row that are none of `labels`, (rows,)."""
    unknown = pc.index_in(lists.flatten(), value_set=pa.array(labels, pa.string())).is_null()
    owners = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    return pa.array(np.bincount(owners, unknown.to_numpy(zero_copy_only=False), len(lists)).astype(np.int64))


def indicators(lists: pa.ListArray, labels: Sequence[str]) -> np.ndarray:
    """Say which labels stand in each row, (rows, labels) bool; unknown ones and null lists say nothing."""
    found = np.zeros((len(lists), len(labels) + 1), bool)
    place = pc.index_in(lists.flatten(), value_set=pa.array(labels, pa.string()))
    owners = pc.list_parent_indices(lists).to_numpy(zero_copy_only=False)
    found[owners, place.fill_null(len(labels)).to_numpy(zero_copy_only=False)] = True
    return found[:, :-1]


def label_lists(found: np.ndarray, labels: Sequence[str]) -> pa.ListArray:
    """List the labels of each row of (rows, labels) bool, in their order."""
    offsets = np.concatenate([[0], np.cumsum(found.sum(axis=1))])
    places = pa.array(np.nonzero(found)[1], pa.int64())
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), pa.array(labels, pa.string()).take(places))
