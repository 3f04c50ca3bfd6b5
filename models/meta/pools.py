"""Make pools from encoded rows: one window a row, no text twice."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa
from transformers import PreTrainedTokenizerBase

from models.adapters import TaskAdapter
from models.adapters.base import IGNORED
from models.episodes import OUTSIDE, Kind, Pool
from models.episodes.splits import words_of
from models.errors import DataError
from models.ragged import Ragged

KINDS: dict[str, Kind] = {
    "text_classification": "text_classification",
    "token_classification": "token_classification",
}
"""The task type of an adapter's episodes."""


def pool_from_windows(name: str, domain: str, adapter: TaskAdapter, windows: Sequence[pa.Table]) -> Pool:
    """Make a pool from an adapter's windows.

    A long row gives its first window alone, and a row whose sub-words stand there already is left out: in
    an episode it could be support and query at once.

    Args:
        name: The source.
        domain: What its rows are about.
        adapter: What encoded the rows.
        windows: Tables in ENCODED_SCHEMA.

    Raises:
        DataError: There are no episodes of this adapter's task type.
    """
    kind = KINDS.get(adapter.name)
    if kind is None:
        raise DataError(f"There are no episodes of {adapter.name}; there are of {', '.join(KINDS)}.")
    table = pa.concat_tables(windows)
    ids, labels = Ragged.from_column(table["input_ids"]), Ragged.from_column(table["labels"])
    row = table["row"].to_numpy()
    kept = np.concatenate([[True], row[1:] != row[:-1]])[: len(row)]
    if kind == "token_classification":
        labels = Ragged(_types(labels.values, adapter), labels.offsets)
    else:
        kept &= labels.values >= 0
    kept[kept] = first_of_each(ids.keep(kept))
    return Pool(
        name=name,
        domain=domain,
        kind=kind,
        classes=tuple(adapter.config.labels),
        ids=ids.keep(kept),
        labels=labels.keep(kept),
        marks=np.zeros((int(kept.sum()), 0), np.int64),
        named=np.zeros(int(kept.sum()), bool),
    )


def with_names(pool: Pool, tokenizer: PreTrainedTokenizerBase) -> Pool:
    """Add a row for each class: its name, as words. An example that is just that is left out.

    Names say much about a class where it has one example; Liu et al. (LAQDA, 2024, arXiv:2410.10454) use
    them in another way.
    """
    count, total = len(pool.classes), len(pool) + len(pool.classes)
    # Names come first, so that of a name and an example with the same sub-words the name is kept.
    named = np.concatenate([np.ones(count, bool), pool.named])
    ids = joined(name_ids(pool.classes, tokenizer), pool.ids)
    labels = np.concatenate([np.arange(count), pool.labels.values])
    kept = named | first_of_each(ids)
    return replace(
        pool,
        ids=ids.keep(kept),
        labels=Ragged.from_lengths(labels, np.ones(total, np.int64)).keep(kept),
        marks=np.zeros((int(kept.sum()), 0), np.int64),
        named=named[kept],
    )


def name_ids(classes: Sequence[str], tokenizer: PreTrainedTokenizerBase) -> Ragged:
    """Tokenize the names of classes as words.

    Raises:
        DataError: Two names are the same to the tokenizer, so they would contradict each other as examples.
    """
    words = name_words(classes)
    ids = tokenizer(words)["input_ids"] if words else []
    found: dict[tuple[int, ...], str] = {}
    for name, one in zip(classes, ids, strict=True):
        other = found.setdefault(tuple(one), name)
        if other != name:
            raise DataError(
                f"The names {other!r} and {name!r} are the same to the encoder. Rename one of them, or use a "
                "start that reads no names (names: false)."
            )
    return Ragged.from_lengths(
        np.array([i for one in ids for i in one], np.int64), np.array([len(one) for one in ids], np.int64)
    )


def name_words(classes: Sequence[str]) -> list[str]:
    """Write the names of classes as words; those that would be alike, or nothing, as they are."""
    words = [words_of(name) for name in classes]
    alike = Counter(text.casefold() for text in words)
    return [
        text if text and alike[text.casefold()] == 1 else name
        for text, name in zip(words, classes, strict=True)
    ]


def joined(first: Ragged, second: Ragged) -> Ragged:
    """Put the rows of one after those of the other."""
    return Ragged.from_lengths(
        np.concatenate([first.values, second.values]), np.concatenate([first.lengths, second.lengths])
    )


def first_of_each(ids: Ragged) -> np.ndarray:
    """Tell which rows are the first with their sub-words, (rows,) bool."""
    keys = pa.ListArray.from_arrays(pa.array(ids.offsets, pa.int32()), pa.array(ids.values, pa.int32()))
    # Arrow compares no lists, but their bytes.
    places = pa.array(4 * ids.offsets, pa.int32())
    whole = pa.BinaryArray.from_buffers(
        pa.binary(), len(keys), [None, places.buffers()[1], keys.values.buffers()[1]]
    )
    codes = whole.dictionary_encode().indices.to_numpy()
    first = np.zeros(len(codes), bool)
    first[np.unique(codes, return_index=True)[1]] = True
    return first


def _types(outputs: np.ndarray, adapter: TaskAdapter) -> np.ndarray:
    """Turn the numbers of O, B- and I- tags into those of types, from 1; IGNORED stays."""
    types = [name.partition("-")[2] for name in adapter.outputs]
    number = np.array([adapter.config.labels.index(t) + 1 if t else OUTSIDE for t in types])
    return np.where(outputs >= 0, number[np.maximum(outputs, 0)], IGNORED)
