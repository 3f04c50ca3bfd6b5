"""Baselines for relations: methods that tag words, over the words' roles."""

from collections.abc import Callable
from typing import Self

import pyarrow as pa

from models.adapters.base import TaskAdapter
from models.adapters.relation_extraction import RelationExtraction
from models.adapters.triples import role_names
from models.baselines.base import Baseline


class Roles:
    """Tag roles by another baseline, and join heads with tails as the agent does.

    Args:
        adapter: The agent's task adapter, which reads relations.
        make: Makes the baseline for tags.

    Raises:
        TypeError: The adapter does not read relations.
    """

    def __init__(self, adapter: TaskAdapter, make: Callable[[tuple[str, ...], int], Baseline]) -> None:
        if not isinstance(adapter, RelationExtraction):
            raise TypeError(f"{adapter.name} has no roles to tag.")
        self._adapter = adapter
        self._tagger = make(role_names(adapter.config.labels), adapter.config.seed)

    def fit(self, rows: pa.Table) -> Self:
        """Learn the roles of words."""
        self._tagger.fit(self._adapter.tagged(rows))
        return self

    def predict(self, rows: pa.Table) -> pa.Table:
        """Tag and join."""
        return self._adapter.joined(self._tagger.predict(rows.select(["tokens"])))
