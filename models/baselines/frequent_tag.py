"""The commonest tag of each word: what can be had without looking at the neighbours."""

from collections.abc import Sequence
from typing import Self

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.baselines.tags import answers, flat_tags
from models.ragged import Ragged


class FrequentTag:
    """Tag each word as it was most often tagged in training; unknown words get the commonest tag of all.

    Args:
        labels: The agent's entity types.
        seed: Not used; all baselines are made alike.
    """

    def __init__(self, labels: Sequence[str], seed: int) -> None:  # noqa: ARG002 - all are made alike
        self._labels = tuple(labels)
        self._words = pa.array([], pa.string())
        self._tags = np.zeros(0, dtype=np.int64)
        self._shares = np.zeros(0)
        self._commonest = (0, 1.0)

    def fit(self, rows: pa.Table) -> Self:
        """Count each word's tags; ties go to the earlier tag."""
        words = pc.list_flatten(rows["tokens"])
        if not len(words):
            return self
        encoded = words.combine_chunks().dictionary_encode()
        tags = flat_tags(rows, self._labels)
        kinds = 1 + 2 * len(self._labels)
        cells, counts = np.unique(encoded.indices.to_numpy() * kinds + tags, return_counts=True)
        # Commonest first, so that the first cell of each word is its tag.
        order = np.lexsort((cells, -counts))
        known, first = np.unique(cells[order] // kinds, return_index=True)
        self._words = encoded.dictionary.take(pa.array(known))
        self._tags = cells[order][first] % kinds
        totals = np.bincount(encoded.indices.to_numpy(), minlength=len(known))
        self._shares = counts[order][first] / totals[known]
        overall = np.bincount(tags, minlength=kinds)
        self._commonest = int(overall.argmax()), float(overall.max() / overall.sum())
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Look every word up; an I- without its B- becomes a B-."""
        words = pc.list_flatten(rows["tokens"])
        place = pc.index_in(words, value_set=self._words)
        known = pc.is_valid(place).to_numpy()
        index = pc.fill_null(place, 0).to_numpy()[known]
        tags = np.full(len(words), self._commonest[0])
        shares = np.full(len(words), self._commonest[1])
        tags[known], shares[known] = self._tags[index], self._shares[index]
        lengths = Ragged.from_column(rows["tokens"]).lengths
        return answers(tags, shares, lengths, self._labels)
