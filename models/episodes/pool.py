"""Pool: the labelled rows of one source that episodes are drawn from, tokenized once."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from models.errors import DataError
from models.ragged import Ragged

Kind = Literal["text_classification", "token_classification", "relation_classification"]
OUTSIDE = 0
"""The class of a sub-word that belongs to no entity; a pool of tags numbers its types from 1."""


@dataclass(frozen=True)
class Pool:
    """Rows with one class each, or one a word.

    Args:
        name: The source; unique among the pools of a meta-training.
        domain: What its rows are about; several pools may share one.
        kind: The task type.
        classes: Names of the classes; for tags the entity types, whose numbers begin at 1 (see OUTSIDE).
        ids: Sub-words of each row, special ones included.
        labels: One class a row, lengths all 1; for tags one a sub-word, IGNORED where none counts.
        marks: (rows, marks) int64, places of sub-words that a relation's features are read at; (rows, 0)
            where there are none.
        named: (rows,) bool, True where a row is the name of its class and no example of it.
    """

    name: str
    domain: str
    kind: Kind
    classes: tuple[str, ...]
    ids: Ragged
    labels: Ragged
    marks: np.ndarray
    named: np.ndarray

    def __len__(self) -> int:
        return len(self.ids.lengths)

    @property
    def is_tagged(self) -> bool:
        """Tell whether each word has a class."""
        return self.kind == "token_classification"

    @property
    def counts(self) -> np.ndarray:
        """Give how many examples each class has, (classes,); for tags, rows that mention the type."""
        shown = ~self.named[self.labels.owners]
        numbers = np.unique(np.stack([self.labels.owners, self.labels.values])[:, shown], axis=1)[1]
        first = int(self.is_tagged)
        found: np.ndarray = np.bincount(numbers[numbers >= first] - first, minlength=len(self.classes))
        return found

    def restricted(self, classes: Sequence[str]) -> Self:
        """Keep the rows of some classes, numbered anew.

        For tags these are the rows that mention some of the types and no other: a row with another type
        would teach that type as ordinary text, and could stand in two splits.

        Raises:
            DataError: A class is not one of the pool's.
        """
        missing = [name for name in classes if name not in self.classes]
        if missing:
            raise DataError(
                f"Source {self.name!r} has no class {missing[0]!r}; it has {', '.join(self.classes)}."
            )
        first = int(self.is_tagged)
        renumber = np.full(len(self.classes) + first, OUTSIDE if self.is_tagged else -1)
        renumber[[self.classes.index(name) + first for name in classes]] = np.arange(len(classes)) + first
        values = np.where(
            self.labels.values >= 0, renumber[np.maximum(self.labels.values, 0)], self.labels.values
        )
        kept = self._mentioning(classes) if self.is_tagged else values >= 0
        labels = Ragged(values, self.labels.offsets).keep(kept)
        return replace(
            self,
            classes=tuple(classes),
            ids=self.ids.keep(kept),
            labels=labels,
            marks=self.marks[kept],
            named=self.named[kept],
        )

    def _mentioning(self, classes: Sequence[str]) -> np.ndarray:
        """Tell which rows of tags mention some of these types and no other, (rows,) bool."""
        wanted = np.isin(np.arange(len(self.classes) + 1), [self.classes.index(c) + 1 for c in classes])
        types = np.maximum(self.labels.values, OUTSIDE)
        own = np.bincount(self.labels.owners, wanted[types] & (types > OUTSIDE), len(self))
        other = np.bincount(self.labels.owners, ~wanted[types] & (types > OUTSIDE), len(self))
        found: np.ndarray = (own > 0) & (other == 0)
        return found
