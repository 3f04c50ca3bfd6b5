"""Features of many episodes in one pass: each row once, in batches of like length.

For learners that do not adapt the body. Episodes share rows, and rows differ in length: padding all of them
to the longest, episode by episode, would be most of the work.
"""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from models.episodes import Episode, Pool
from models.learners import EpisodeBatch, Inputs, Network, Params, Shots
from models.learners.base import View
from models.meta.batches import RowReader, Side, arranged

SUB_WORDS_AT_ONCE = 2048


class GatheredNetwork(View):
    """A network whose inputs are places in the features of the rows that it was made with.

    Args:
        network: What computes features.
        chunks: Inputs of the rows, in batches.
    """

    def __init__(self, network: Network, chunks: Sequence[Inputs]) -> None:
        super().__init__(network)
        self._chunks = chunks

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Compute the features of all rows, and give those at `inputs[0]` (items,) int64."""
        device = inputs[0].device
        params = params | self._network.weights(params)  # once, whatever they are made of
        found = [self._network.features(params, tuple(x.to(device) for x in c)) for c in self._chunks]
        return torch.cat(found)[inputs[0]]


def gathered(
    network: Network, episodes: Sequence[Episode], readers: Sequence[RowReader]
) -> tuple[GatheredNetwork, EpisodeBatch]:
    """Arrange episodes of one task type around the features of the rows that they hold.

    Args:
        network: What computes features.
        episodes: Of one task type.
        readers: What gives the rows, a reader a pool.
    """
    plan = arranged(episodes, readers)
    chunks: list[Inputs] = []
    places: dict[int, tuple[np.ndarray, np.ndarray]] = {}
    total = 0
    for pool in np.unique(plan.pools):
        mine = plan.pools == pool
        rows = np.unique(np.concatenate([side.rows[mine].ravel() for side in (plan.support, plan.query)]))
        read, begins, items = chunked(readers[pool], rows)
        places[int(pool)] = rows, begins + total
        total += items
        chunks += read

    def shots(side: Side) -> Shots:
        found = [
            items_of(readers[p].pool, begins[np.searchsorted(rows, r)], r, plan.length)
            for p, r in zip(plan.pools, side.rows, strict=True)
            for rows, begins in (places[p],)
        ]
        return Shots((torch.from_numpy(np.stack(found)),), torch.from_numpy(side.targets))

    batch = EpisodeBatch(shots(plan.support), shots(plan.query), plan.n_way, plan.length)
    return GatheredNetwork(network, chunks), batch


def chunked(reader: RowReader, rows: np.ndarray) -> tuple[list[Inputs], np.ndarray, int]:
    """Read rows in batches of like length; say at which item each row begins (rows,), and count the items."""
    lengths = reader.pool.ids.lengths[rows]
    order = np.argsort(-lengths, kind="stable")
    chunks: list[Inputs] = []
    begins = np.empty(len(rows), np.int64)
    first = item = 0
    while first < len(order):
        longest = int(lengths[order[first]])
        chosen = order[first : first + max(1, SUB_WORDS_AT_ONCE // longest)]
        chunks.append(reader.inputs(rows[chosen], longest))
        step = longest if reader.pool.is_tagged else 1
        begins[chosen] = item + step * np.arange(len(chosen))
        item += step * len(chosen)
        first += len(chosen)
    return chunks, begins, item


def items_of(pool: Pool, begins: np.ndarray, rows: np.ndarray, length: int) -> np.ndarray:
    """Give the items of some rows, (rows,), or (rows * length,) for tags; past a row's end its last one.

    Args:
        pool: The rows.
        begins: (rows,) item at which each of them begins.
        rows: (rows,) their positions.
        length: Items of a row of tags.
    """
    if not pool.is_tagged:
        return begins
    inside = np.minimum(np.arange(length), pool.ids.lengths[rows][:, None] - 1)
    items: np.ndarray = (begins[:, None] + inside).ravel()
    return items
