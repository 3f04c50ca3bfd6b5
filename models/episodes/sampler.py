"""Draw episodes: the same index of a split is the same episode, on every machine and after a restart."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from models.episodes.greedy import greedy_rows, mentions
from models.episodes.pool import Pool
from models.episodes.shape import EpisodeShape, ends
from models.errors import DataError

Split = Literal["train", "validation", "test"]
_SPLITS: tuple[Split, ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Drawn:
    """The rows of one side of an episode.

    Args:
        rows: (rows,) positions in the pool.
        classes: (rows,) class within the episode, 0 to n_way - 1; empty for tags.
    """

    rows: np.ndarray
    classes: np.ndarray


@dataclass(frozen=True)
class Episode:
    """One small problem drawn from one pool.

    Args:
        pool: Position of the pool in the sampler's list.
        classes: (n_way,) classes of the pool, in the order of the episode's own numbers; for tags the
            entity types, from 0.
        support: Rows to adapt on.
        query: Rows to be judged on; none of them, nor a text like one of them, is in the support.
    """

    pool: int
    classes: np.ndarray
    support: Drawn
    query: Drawn


class EpisodeSampler:
    """Draw the episodes of one split.

    Args:
        pools: Where rows come from; an episode stays within one.
        shape: Size of the episodes.
        seed: Seed of all of them.
        split: Which split this is; each has its own episodes.
        weights: How often each pool is drawn from, relative to the others; by default alike.

    Raises:
        DataError: A pool can not fill an episode.
    """

    def __init__(
        self,
        pools: Sequence[Pool],
        shape: EpisodeShape,
        *,
        seed: int,
        split: Split,
        weights: Sequence[float] | None = None,
    ) -> None:
        if not pools:
            raise DataError(f"Meta-{split} has no source; name at least one.")
        shares = np.array(weights if weights is not None else [1.0] * len(pools), dtype=np.float64)
        if len(shares) != len(pools) or not (shares > 0).all():
            raise DataError(
                f"There are {len(pools)} sources with weights {shares.tolist()}; each needs one above 0."
            )
        self.pools, self.shape = tuple(pools), shape
        self._shares = shares / shares.sum()
        self._key = (seed, _SPLITS.index(split))
        self._usable = [_usable(pool, shape) for pool in pools]
        self._rows = [None if pool.is_tagged else _rows_by_class(pool) for pool in pools]
        self._names = [_name_rows(pool, shape) for pool in pools]
        self._mentions = [mentions(pool) if pool.is_tagged else None for pool in pools]

    def episode(self, index: int) -> Episode:
        """Draw the episode of this index, from 0."""
        rng = np.random.default_rng([*self._key, index])
        place = int(rng.choice(len(self.pools), p=self._shares))
        usable = self._usable[place]
        ways = self.shape.draw_ways(rng, len(usable))
        classes = rng.permutation(usable)[:ways]
        shots = self.shape.draw_shots(rng, ways)
        if self.pools[place].is_tagged:
            return self._tagged(rng, place, classes, shots)
        return self._classified(rng, place, classes, shots)

    def _classified(
        self, rng: np.random.Generator, place: int, classes: np.ndarray, shots: np.ndarray
    ) -> Episode:
        support, query = [], []
        by_class, names = self._rows[place] or [], self._names[place]
        for chosen, k in zip(classes, shots, strict=True):
            rows = rng.permutation(by_class[chosen])
            support.append(np.concatenate([rows[:k], names[chosen : chosen + 1]]))
            query.append(rows[k : k + self.shape.n_query])
        return Episode(place, classes, _drawn(support), _drawn(query))

    def _tagged(self, rng: np.random.Generator, place: int, types: np.ndarray, shots: np.ndarray) -> Episode:
        counts = self._mentions[place]
        if counts is None:
            raise DataError("This source has no tags.")
        # A row that mentions a type of no part in the episode would be wrong about it.
        own = np.flatnonzero(counts.sum(1) == counts[:, types].sum(1))
        support = own[greedy_rows(counts[own][:, types], shots, rng)]
        left = np.setdiff1d(own, support)
        wanted = np.full(len(types), self.shape.n_query)
        query = left[greedy_rows(counts[left][:, types], wanted, rng)]
        if not len(support) or not len(query):
            raise DataError(
                f"Source {self.pools[place].name!r} has too few rows that mention nothing but "
                f"{', '.join(self.pools[place].classes[t] for t in types)}. Raise n_way, or lower k_shot or "
                "n_query."
            )
        none = np.empty(0, np.int64)
        return Episode(place, types, Drawn(support, none), Drawn(query, none))


def _drawn(parts: list[np.ndarray]) -> Drawn:
    classes = np.repeat(np.arange(len(parts)), [len(part) for part in parts])
    return Drawn(np.concatenate(parts), classes)


def _rows_by_class(pool: Pool) -> list[np.ndarray]:
    examples = np.flatnonzero(~pool.named)
    labels = pool.labels.values[examples]
    order = np.argsort(labels, kind="stable")
    return np.split(examples[order], np.searchsorted(labels[order], np.arange(1, len(pool.classes))))


def _name_rows(pool: Pool, shape: EpisodeShape) -> np.ndarray:
    """Give the row of each class's name, (classes,); nothing where names take no part.

    Raises:
        DataError: They are asked for and not there.
    """
    if not shape.names:
        return np.empty(0, np.int64)
    rows = np.flatnonzero(pool.named)
    if pool.is_tagged or len(rows) != len(pool.classes):
        raise DataError(f"Source {pool.name!r} has no names of its classes as rows; leave names out.")
    found: np.ndarray = rows[np.argsort(pool.labels.values[rows])]
    return found


def _usable(pool: Pool, shape: EpisodeShape) -> np.ndarray:
    """Give the classes with enough rows for an episode.

    Raises:
        DataError: There are fewer of them than an episode needs.
    """
    needed = ends(shape.k_shot)[1] + shape.n_query
    usable = np.flatnonzero(pool.counts >= needed)
    ways = ends(shape.n_way)[0]
    if len(usable) < ways:
        scarce = min(range(len(pool.classes)), key=lambda i: pool.counts[i]) if pool.classes else None
        example = (
            f" Class {pool.classes[scarce]!r} has {pool.counts[scarce]} rows." if scarce is not None else ""
        )
        raise DataError(
            f"Source {pool.name!r} has {len(usable)} of {len(pool.classes)} classes with the {needed} rows "
            f"that k_shot + n_query need, and n_way is {ways}.{example} Lower n_way, "
            "k_shot or n_query, or add rows."
        )
    return usable
