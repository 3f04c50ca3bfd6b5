"""How good a learner is on episodes, without gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from torch import Tensor

from models.adapters.base import IGNORED
from models.episodes import OUTSIDE, Episode, EpisodeSampler, Kind, Pool
from models.learners import Inputs, Learner, Network, Params
from models.learners.base import Embedded
from models.meta.batches import RowReader, by_kind, stacked
from models.meta.gathered import chunked, items_of
from models.meta.networks import Networks
from models.meta.shared import body_names, seen_by

_EPISODES_AT_ONCE, _MOST_CLASSES = 64, 1 << 16


@dataclass(frozen=True)
class Start:
    """What adapts to an episode: a learner, what computes its features, and what it learned.

    Args:
        learner: How to adapt.
        networks: What computes features, by task type.
        params: The meta-parameters, named as `models/meta/shared.py` says.
    """

    learner: Learner
    networks: Networks
    params: Params

    def seen(self, kind: Kind) -> Params:
        """Give the meta-parameters as the learner knows them for a task type."""
        return seen_by(self.params, kind, body_names(self.networks))


@dataclass(frozen=True)
class Source:
    """Episodes of one split, and what gives their rows: a reader for each of the sampler's pools."""

    sampler: EpisodeSampler
    readers: tuple[RowReader, ...]

    def episodes(self, first: int, count: int) -> list[Episode]:
        """Draw `count` episodes from index `first` on."""
        return [self.sampler.episode(index) for index in range(first, first + count)]


@dataclass(frozen=True)
class EmbeddedReader:
    """A reader that gives features in the place of inputs, for learners that do not adapt the body.

    Args:
        pool: The rows.
        features: (items, dim) of the rows, end to end.
        begins: (rows,) item at which each row begins; of no use for rows that were left out.
    """

    pool: Pool
    features: Tensor
    begins: np.ndarray
    packs: ClassVar[bool] = False

    def inputs(self, rows: np.ndarray, length: int) -> Inputs:
        """Give features (items, dim): one a row, or for tags `length` a row."""
        return (self.features[torch.from_numpy(items_of(self.pool, self.begins[rows], rows, length))],)


@torch.no_grad()
def embed_pool(
    network: Network,
    params: Params,
    reader: RowReader,
    alive: Callable[[], None] = lambda: None,
    rows: np.ndarray | None = None,
) -> EmbeddedReader:
    """Compute the features of a pool's rows once, or of those that will be asked for."""
    wanted = np.arange(len(reader.pool)) if rows is None else rows
    chunks, found, _ = chunked(reader, wanted)
    begins = np.zeros(len(reader.pool), np.int64)
    begins[wanted] = found
    device = _device(params)
    params = params | network.weights(params)
    parts = []
    for chunk in chunks:
        parts.append(network.features(params, tuple(x.to(device) for x in chunk)))
        alive()
    return EmbeddedReader(reader.pool, torch.cat(parts), begins)


def count_queries(
    start: Start,
    source: Source,
    episodes: Sequence[Episode],
    alive: Callable[[], None] = lambda: None,
    at_once: int | None = None,
) -> list[np.ndarray]:
    """Adapt to each episode and count what is right, query by query.

    Args:
        start: What is adapted, and how.
        source: Where the episodes' rows are.
        episodes: What to score.
        alive: Called often.
        at_once: Episodes that run together where each has weights of its own; 64 by default.

    Returns:
        Of each episode (queries, 3) true positives, false positives and false negatives; for classes a right
        answer is (1, 0, 0) and a wrong one (0, 1, 1), for tags mentions are counted.
    """
    at_once = _EPISODES_AT_ONCE if at_once is None or not start.learner.adapts_body else at_once
    out: list[np.ndarray] = [np.zeros((len(e.query.rows), 3), np.int64) for e in episodes]
    readers: list[RowReader] = list(source.readers)
    if not start.learner.adapts_body:
        for used in {episode.pool for episode in episodes}:
            reader = source.readers[used]
            kind = reader.pool.kind
            rows = rows_of([e for e in episodes if e.pool == used])
            readers[used] = embed_pool(start.networks[kind], start.seen(kind), reader, alive, rows)
    for kind, group in by_kind(episodes, readers):
        for first in range(0, len(group), at_once):
            some = group[first : first + at_once]
            found = _counted(start, kind, [episodes[i] for i in some], readers)
            for place, counts in zip(some, found, strict=True):
                out[place] = counts[: len(out[place])]
            alive()
    return out


def rows_of(episodes: Sequence[Episode]) -> np.ndarray:
    """Name the rows of one pool that some episodes hold, each once."""
    return np.unique(np.concatenate([side.rows for e in episodes for side in (e.support, e.query)]))


def score_episodes(
    start: Start,
    source: Source,
    episodes: Sequence[Episode],
    alive: Callable[[], None] = lambda: None,
    at_once: int | None = None,
) -> np.ndarray:
    """Score each episode: accuracy, or for tags the strict F1 of mentions, (episodes,) fractions.

    See `count_queries`.
    """
    counts = count_queries(start, source, episodes, alive, at_once)
    return scores_of(np.array([found.sum(0) for found in counts]))


def scores_of(counts: np.ndarray) -> np.ndarray:
    """Give the F1 of counts (..., 3), which is accuracy for classes; 1 where there was nothing to find."""
    right, made_up, missed = np.moveaxis(counts.astype(np.float64), -1, 0)
    total = 2 * right + made_up + missed
    return np.where(total > 0, 2 * right / np.maximum(total, 1), 1.0)


def _counted(
    start: Start, kind: Kind, episodes: Sequence[Episode], readers: Sequence[RowReader]
) -> np.ndarray:
    learner, network, params = start.learner, start.networks[kind], start.seen(kind)
    batch = stacked(episodes, readers).to(_device(params))
    seen = network if learner.adapts_body else Embedded(network)
    predicted = learner.predict(seen, params, batch).argmax(-1).cpu().numpy()
    targets = batch.query.targets.cpu().numpy()
    if kind != "token_classification":
        return answers(predicted, targets)
    shape = (len(targets), -1, batch.length)
    return mention_counts(predicted.reshape(shape), targets.reshape(shape))


def _device(params: Params) -> torch.device:
    return next((w.device for w in params.values()), torch.device("cpu"))


def answers(predicted: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count each item's right and wrong answers, (episodes, items, 3); nothing where there is no class.

    Args:
        predicted: (episodes, items).
        targets: (episodes, items), IGNORED where there is none.
    """
    counted = targets != IGNORED
    right = (predicted == targets) & counted
    wrong = counted & ~right
    return np.stack([right, wrong, wrong], axis=-1).astype(np.int64)


def mention_counts(predicted: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count each row's mentions, (episodes, rows, 3): runs of words of one class other than OUTSIDE.

    Two mentions of one type that touch count as one, in the truth and in the prediction: classes here tell
    no beginning from an inside.

    Args:
        predicted: (episodes, rows, length).
        targets: (episodes, rows, length), IGNORED between the first sub-words of words and beyond.
    """
    counted = (targets != IGNORED).reshape(-1, targets.shape[-1])
    owners = np.nonzero(counted)[0]
    (found, found_in), (true, true_in) = (
        _mentions(x.reshape(counted.shape)[counted], owners) for x in (predicted, targets)
    )
    hits, made, there = (
        np.bincount(rows, minlength=len(counted))
        for rows in (found_in[np.isin(found, true)], found_in, true_in)
    )
    return np.stack([hits, made - hits, there - hits], axis=1).reshape(*targets.shape[:2], 3)


def _mentions(classes: np.ndarray, owners: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give each mention a number (of where it begins and ends, and of its class), and its row.

    Args:
        classes: (words,) class of each word.
        owners: (words,) row of each word, in rising order.
    """
    edges = np.ones(len(classes) + 1, bool)
    edges[1:-1] = (classes[1:] != classes[:-1]) | (owners[1:] != owners[:-1])
    places = np.flatnonzero(edges)
    first, last = places[:-1], places[1:]
    first, last = first[classes[first] != OUTSIDE], last[classes[first] != OUTSIDE]
    names = (first * len(edges) + last) * _MOST_CLASSES + classes[first]
    return names, owners[first]
