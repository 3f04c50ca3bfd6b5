"""Relations as a row lists them ("label first last first last": head, then tail), and as tags of words."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters.bio import OUTSIDE, find_spans
from models.ragged import Ragged

_WRITTEN = r"^(?P<label>.*\S)\s+(?P<a>\d{1,9})\s+(?P<b>\d{1,9})\s+(?P<c>\d{1,9})\s+(?P<d>\d{1,9})\s*$"
ROLES = ("head", "tail")


@dataclass(frozen=True)
class Triples:
    """Relations of some rows, laid end to end.

    Args:
        rows: (relations,) the row of each.
        labels: (relations,) its label; null where it is not written as a relation is.
        spans: (relations, 2, 2) first and last word of head and tail; -1 where it is not.
    """

    rows: np.ndarray
    labels: pa.Array
    spans: np.ndarray


def read_triples(column: pa.ListArray) -> Triples:
    """Read every row's relations; a null list has none."""
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    parts = pc.extract_regex(column.flatten(), _WRITTEN)
    places = [pc.fill_null(pc.struct_field(parts, name).cast(pa.int64()), -1) for name in "abcd"]
    spans = np.stack([place.to_numpy(zero_copy_only=False) for place in places], axis=1)
    owners = np.repeat(np.arange(len(column)), counts)
    return Triples(owners, pc.struct_field(parts, "label"), spans.reshape(-1, 2, 2))


def write_triples(triples: Triples, rows: int) -> pa.ListArray:
    """Write relations as `read_triples` reads them, one list a row."""
    numbers = [pa.array(place).cast(pa.string()) for place in triples.spans.reshape(-1, 4).T]
    written = pc.binary_join_element_wise(triples.labels.cast(pa.string()), *numbers, " ")
    offsets = np.concatenate([[0], np.cumsum(np.bincount(triples.rows, minlength=rows))])
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), written)


def rename_triples(column: pa.ListArray, renames: Mapping[str, str]) -> pa.ListArray:
    """Rename labels; what is not written as a relation is left as it is."""
    found = read_triples(column)
    coded = found.labels.dictionary_encode()
    names = pa.array([renames.get(name, name) for name in coded.dictionary.to_pylist()], pa.string())
    renamed = Triples(found.rows, names.take(coded.indices), found.spans)
    written = pc.coalesce(write_triples(renamed, len(column)).flatten(), column.flatten())
    counts = pc.fill_null(pc.list_value_length(column), 0).to_numpy(zero_copy_only=False)
    offsets = pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32())
    mask = pc.is_null(column) if column.null_count else None
    return pa.ListArray.from_arrays(offsets, written, mask=mask)


def role_names(labels: Sequence[str]) -> tuple[str, ...]:
    """Name the two roles of each relation, as types of entities."""
    return tuple(f"{label}/{role}" for label in labels for role in ROLES)


def triples_to_tags(triples: Triples, labels: Sequence[str], lengths: np.ndarray) -> Ragged:
    """Tag each word with its role in a relation, numbered as `bio` has it over `role_names`.

    Args:
        triples: Within their rows, none of a row overlapping another.
        labels: The relations in order.
        lengths: (rows,) words of each row.
    """
    tags = np.full(int(lengths.sum()), OUTSIDE)
    begins = (np.cumsum(lengths) - lengths)[triples.rows]
    label = pc.index_in(triples.labels, value_set=pa.array(labels, pa.string())).to_numpy(
        zero_copy_only=False
    )
    for role in (0, 1):
        kind = 2 * label.astype(np.int64) + role
        first = begins + triples.spans[:, role, 0]
        sizes = triples.spans[:, role, 1] - triples.spans[:, role, 0] + 1
        ends = np.cumsum(sizes)
        inside = np.arange(int(sizes.sum())) + np.repeat(first - (ends - sizes), sizes)
        tags[inside] = np.repeat(2 * kind + 2, sizes)
        tags[first] = 2 * kind + 1
    return Ragged.from_lengths(tags, lengths)


def tags_to_triples(tags: Ragged, labels: Sequence[str]) -> Triples:
    """Join each relation's heads with its tails, the first of a row with the first, and so on."""
    spans = find_spans(tags)
    label, role = spans.types // 2, spans.types % 2
    order = np.lexsort((spans.starts, role, label, spans.rows))
    group = np.stack([spans.rows, label, role], axis=1)[order]
    begins = np.flatnonzero(np.append(True, (np.diff(group, axis=0) != 0).any(axis=1))[: len(order)])
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order)) - np.repeat(begins, np.diff(np.append(begins, len(order))))
    key = (spans.rows * len(labels) + label) * (len(tags.values) + 1) + rank
    heads, tails = np.flatnonzero(role == 0), np.flatnonzero(role == 1)
    _, left, right = np.intersect1d(key[heads], key[tails], assume_unique=True, return_indices=True)
    pairs = np.stack([heads[left], tails[right]], axis=1)
    own = tags.offsets[spans.rows]
    ends = np.stack([spans.starts - own, spans.ends - 1 - own], axis=1)
    names = pa.array(labels, pa.string()).take(pa.array(label[pairs[:, 0]], pa.int64()))
    return Triples(spans.rows[pairs[:, 0]], names, ends[pairs])


def overlapping(triples: Triples, rows: int) -> np.ndarray:
    """Tell which rows have entities that share a word, (rows,) bool; those of one relation count as well."""
    flat = triples.spans.reshape(-1, 2)
    owners = np.repeat(triples.rows, 2)
    order = np.lexsort((flat[:, 0], owners))
    ordered, row = flat[order], owners[order]
    shared = (row[1:] == row[:-1]) & (ordered[1:, 0] <= ordered[:-1, 1])
    return np.bincount(row[1:], shared, rows) > 0


def count_triples(truth: pa.ListArray, predicted: pa.ListArray) -> np.ndarray:
    """Count true positives, false positives and false negatives of each row, (rows, 3) int64.

    A relation counts as found only if its label and all four ends are right.
    """
    rows = len(truth)
    both = pa.concat_arrays([truth.flatten(), predicted.flatten()]).dictionary_encode()
    code = both.indices.to_numpy(zero_copy_only=False).astype(np.int64)
    owners = np.concatenate([pc.list_parent_indices(one).to_numpy() for one in (truth, predicted)])
    key = owners * (len(both.dictionary) + 1) + code
    split = len(truth.flatten())
    expected, found = np.unique(key[:split]), np.unique(key[split:])
    right = np.intersect1d(expected, found, assume_unique=True)
    size = len(both.dictionary) + 1
    hits, made, meant = (np.bincount(one // size, minlength=rows) for one in (right, found, expected))
    return np.stack([hits, made - hits, meant - hits], axis=1).astype(np.int64)
