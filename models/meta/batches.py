"""From drawn episodes to stacked tensors that learners read."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol

import numpy as np
import torch

from models.adapters.base import IGNORED
from models.episodes import OUTSIDE, Drawn, Episode, Kind, Pool
from models.learners import EpisodeBatch, Inputs, Shots
from models.meta.kept import KeptStates
from models.meta.packing import Packing, stacked_packings


class RowReader(Protocol):
    """What gives a network's inputs for some rows of a pool."""

    @property
    def pool(self) -> Pool:
        """Give the pool."""

    @property
    def packs(self) -> bool:
        """Tell whether rows stand end to end in fewer sequences."""

    def inputs(self, rows: np.ndarray, length: int) -> Inputs:
        """Give what a network reads of some rows, for items of `length` a row where every sub-word is one."""


@dataclass(frozen=True)
class Reader:
    """What a network reads of a pool's rows.

    Args:
        pool: The rows.
        pad_id: Sub-word that pads.
        kept: Hidden states of the rows; None where the network reads sub-words.
    """

    pool: Pool
    pad_id: int
    kept: KeptStates | None = None

    @property
    def packs(self) -> bool:
        """Pack hidden states, which know their positions already."""
        return self.kept is not None

    def inputs(self, rows: np.ndarray, length: int) -> Inputs:
        """Give what the body reads: a row of `length` sub-words each, or hidden states packed.

        Returns:
            Sub-words or states, mask (rows, length), marks (rows, marks), and for states where they stand.
        """
        lengths = self.pool.ids.lengths[rows]
        mask = torch.from_numpy((np.arange(length) < lengths[:, None]).astype(np.float32))
        marks = torch.from_numpy(self.pool.marks[rows])
        if self.kept is None:
            ids = self.pool.ids.padded(rows, self.pad_id)
            wider = ((0, 0), (0, length - ids.shape[1]))
            return torch.from_numpy(np.pad(ids, wider, constant_values=self.pad_id)), mask, marks
        packing = Packing.of(lengths, length)
        return self.kept.packed(rows, packing), mask, marks, *packing.inputs


@dataclass(frozen=True)
class Side:
    """Support or query of several episodes, each padded to the most rows of one.

    Args:
        rows: (episodes, rows) positions in the episodes' pools; what pads repeats the last row.
        targets: (episodes, items) class within the episode, IGNORED where there is none.
    """

    rows: np.ndarray
    targets: np.ndarray


@dataclass(frozen=True)
class Arranged:
    """Episodes of one task type, side by side.

    Args:
        pools: (episodes,) position of each episode's pool.
        support: Rows to adapt on.
        query: Rows to be judged on.
        length: Sub-words of the longest row.
        n_way: Classes of the widest episode; for tags with the one that is no type.
    """

    pools: np.ndarray
    support: Side
    query: Side
    length: int
    n_way: int


def by_kind(episodes: Sequence[Episode], readers: Sequence[RowReader]) -> Iterator[tuple[Kind, list[int]]]:
    """Group the places of episodes by the task type of their pool, kinds in alphabetical order."""

    def kind(place: int) -> Kind:
        return readers[episodes[place].pool].pool.kind

    for found, group in groupby(sorted(range(len(episodes)), key=kind), key=kind):
        yield found, list(group)


def arranged(episodes: Sequence[Episode], readers: Sequence[RowReader]) -> Arranged:
    """Put episodes of one task type side by side.

    What pads has no class; an episode with fewer classes than the widest has no support for the rest.
    """
    pools = [readers[e.pool].pool for e in episodes]
    sides = [drawn for e in episodes for drawn in (e.support, e.query)]
    owners = [pool for pool in pools for _ in range(2)]
    length = max(int(p.ids.lengths[d.rows].max()) for p, d in zip(owners, sides, strict=True))
    support = _side(episodes, pools, [e.support for e in episodes], length)
    query = _side(episodes, pools, [e.query for e in episodes], length)
    return Arranged(
        pools=np.array([e.pool for e in episodes]),
        support=support,
        query=_answerable(query, support),
        length=length,
        n_way=max(len(e.classes) for e in episodes) + pools[0].is_tagged,
    )


def stacked(episodes: Sequence[Episode], readers: Sequence[RowReader]) -> EpisodeBatch:
    """Stack episodes of one task type: rows padded to the longest of all, or packed in sequences of it."""
    plan = arranged(episodes, readers)

    def shots(side: Side) -> Shots:
        read = [readers[p].inputs(rows, plan.length) for p, rows in zip(plan.pools, side.rows, strict=True)]
        inputs = stacked_packings(read) if packed else tuple(map(torch.stack, zip(*read, strict=True)))
        return Shots(inputs, torch.from_numpy(side.targets))

    packed = readers[plan.pools[0]].packs
    return EpisodeBatch(shots(plan.support), shots(plan.query), plan.n_way, plan.length)


def _answerable(query: Side, support: Side) -> Side:
    """Leave out the query's items of a class that the support does not show: nobody could know it.

    So it is with words outside of every mention where one-word sentences make the support.
    """
    shown = np.stack([np.isin(q, s) for q, s in zip(query.targets, support.targets, strict=True)])
    return Side(query.rows, np.where(shown, query.targets, IGNORED))


def _side(episodes: Sequence[Episode], pools: list[Pool], chosen: list[Drawn], length: int) -> Side:
    most = max(len(drawn.rows) for drawn in chosen)
    rows, targets = [], []
    for episode, pool, drawn in zip(episodes, pools, chosen, strict=True):
        lacking = most - len(drawn.rows)
        rows.append(np.pad(drawn.rows, (0, lacking), mode="edge"))
        found = _tag_targets(pool, episode, drawn, length) if pool.is_tagged else drawn.classes[:, None]
        targets.append(np.pad(found, ((0, lacking), (0, 0)), constant_values=IGNORED).ravel())
    return Side(np.stack(rows), np.stack(targets).astype(np.int64))


def _tag_targets(pool: Pool, episode: Episode, drawn: Drawn, length: int) -> np.ndarray:
    """Give each sub-word's class within the episode, (rows, length); types of no part in it are OUTSIDE."""
    renumber = np.full(len(pool.classes) + 1, OUTSIDE)
    renumber[episode.classes + 1] = np.arange(1, len(episode.classes) + 1)
    labels = pool.labels.padded(drawn.rows, IGNORED)
    labels = np.where(labels >= 0, renumber[np.maximum(labels, 0)], labels)
    return np.pad(labels, ((0, 0), (0, length - labels.shape[1])), constant_values=IGNORED)
