"""Columns of BIO tags: renaming and listing their entity types, measuring what may be wrong with them."""

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.text_encoding import holds

OUTSIDE = "O"


def map_tags(tags: pa.ListArray, renames: Mapping[str, str]) -> pa.ListArray:
    """Rename entity types on the distinct tags only; a type renamed to O is left out."""
    offsets, values = _flat(tags)
    coded = values.dictionary_encode()
    names = pa.array([_renamed(tag, renames) for tag in coded.dictionary.to_pylist()], pa.string())
    mask = pc.is_null(tags) if tags.null_count else None
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), names.take(coded.indices), mask=mask)


def _renamed(tag: str, renames: Mapping[str, str]) -> str:
    prefix, dash, kind = tag.partition("-")
    if not dash or kind not in renames:
        return tag
    return OUTSIDE if renames[kind] == OUTSIDE else f"{prefix}-{renames[kind]}"


def list_entity_types(tags: pa.ChunkedArray) -> pa.Table:
    """List the type of each entity by its B- tag: `row` (counting from 0) and `label`."""
    values = pc.list_flatten(tags)
    begins = pc.starts_with(values, "B-")
    rows = pc.list_parent_indices(tags).filter(begins)
    return pa.table({"row": rows, "label": pc.utf8_slice_codeunits(values.filter(begins), 2)})


def measure_tokens(tokens: pa.ListArray) -> dict[str, pa.Array]:
    """Count, row by row, tokens and what is wrong with them.

    Returns:
        `tokens` (null where there is no list), `empty_tokens`, `damaged_tokens`.
    """
    offsets, words = _flat(tokens)
    blank = pc.equal(pc.binary_length(pc.utf8_trim_whitespace(words)), 0)
    damaged = pa.array(holds(words, "\x00") | holds(words, "\ufffd"))
    return {
        "tokens": pc.list_value_length(tokens),
        "empty_tokens": _count(pc.fill_null(blank, True), offsets, len(tokens)),
        "damaged_tokens": _count(damaged, offsets, len(tokens)),
    }


def measure_tags(tokens: pa.ListArray, tags: pa.ListArray, labels: Sequence[str]) -> dict[str, pa.Array]:
    """Count, row by row, tokens and tags and what is wrong with them.

    Returns:
        `tokens` and `tags` (null where there is no list), `empty_tokens`, `damaged_tokens`, `surplus`
        (tags less tokens), `unknown_tags`, `broken_bio` (an I- that follows neither B- nor I- of its type).
    """
    rows = len(tokens)
    tag_offsets, values = _flat(tags)
    known = [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in "BI")]
    codes = pc.fill_null(pc.index_in(values, value_set=pa.array(known)), -1).to_numpy()
    measured = measure_tokens(tokens)
    tag_counts = pc.list_value_length(tags)
    surplus = pc.fill_null(pc.subtract(tag_counts, measured["tokens"]), 0)
    return {
        **measured,
        "tags": tag_counts,
        "surplus": surplus,
        "unknown_tags": _count(pa.array(codes < 0), tag_offsets, rows),
        "broken_bio": _count(pa.array(_broken_bio(codes, tag_offsets)), tag_offsets, rows),
    }


def _broken_bio(codes: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    """Find I- tags (even codes above 0) that continue nothing: B- of type i is 2i + 1, I- is 2i + 2."""
    inside = (codes > 0) & (codes % 2 == 0)
    goes_on = np.zeros(len(codes), bool)
    goes_on[1:] = (codes[:-1] > 0) & ((codes[1:] - 1) // 2 == (codes[:-1] - 1) // 2)
    begins = offsets[:-1][np.diff(offsets) > 0]
    goes_on[begins] = False
    broken: np.ndarray = inside & ~goes_on
    return broken


def _count(found: pa.Array, offsets: np.ndarray, rows: int) -> pa.Array:
    sums = np.concatenate([[0], np.cumsum(found.to_numpy(zero_copy_only=False), dtype=np.int64)])
    return pa.array((sums[offsets[1:]] - sums[offsets[:-1]]) if rows else np.zeros(0, np.int64))


def _flat(lists: pa.ListArray) -> tuple[np.ndarray, pa.Array]:
    """Give offsets (rows + 1,) and the values; a null list has none."""
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    return np.concatenate([[0], np.cumsum(lengths)]), lists.flatten()
