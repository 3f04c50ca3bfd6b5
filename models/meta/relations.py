"""Rows of relation classification: a sentence, two marked entities, and the relation between them."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
from transformers import PreTrainedTokenizerBase

from models.adapters.marked_words import mark_entities
from models.episodes import Pool
from models.meta.pools import first_of_each
from models.ragged import Ragged


@dataclass(frozen=True)
class Relation:
    """One row.

    Args:
        tokens: Words of the sentence.
        head: First word of the head entity, and the word after its last.
        tail: The same of the tail entity.
        label: The relation.
    """

    tokens: tuple[str, ...]
    head: tuple[int, int]
    tail: tuple[int, int]
    label: str


def relation_pool(
    name: str, domain: str, rows: Sequence[Relation], tokenizer: PreTrainedTokenizerBase, max_length: int
) -> Pool:
    """Make a pool whose marks are the sub-words at which both entities begin.

    A row whose entities lie beyond `max_length` sub-words is left out.
    """
    classes = tuple(sorted({row.label for row in rows}))
    tokens = pa.array([row.tokens for row in rows], pa.list_(pa.string()))
    spans = np.array([[row.head, row.tail] for row in rows]).reshape(-1, 2, 2) - [0, 1]
    marked = mark_entities(tokens, spans)
    encoded = tokenizer(
        marked.words.to_pylist(), is_split_into_words=True, truncation=True, max_length=max_length
    )
    marks, usable = [], []
    for i, places in enumerate(marked.places.tolist()):
        found = [encoded.word_to_tokens(i, place) for place in places]
        usable.append(all(found))
        marks.append([span.start if span else 0 for span in found])
    lengths = np.array([len(ids) for ids in encoded["input_ids"]])
    ids = Ragged.from_lengths(np.concatenate([np.array(x, np.int64) for x in encoded["input_ids"]]), lengths)
    labels = np.array([classes.index(row.label) for row in rows])
    kept = np.array(usable) & first_of_each(ids)
    return Pool(
        name=name,
        domain=domain,
        kind="relation_classification",
        classes=classes,
        ids=ids.keep(kept),
        labels=Ragged.from_lengths(labels, np.ones(len(rows), np.int64)).keep(kept),
        marks=np.array(marks, np.int64)[kept],
        named=np.zeros(int(kept.sum()), bool),
    )
