"""How good a learner is on episodes, without gradients."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor

from models.adapters.base import IGNORED
from models.episodes import OUTSIDE, Episode, EpisodeSampler, Kind, Pool
from models.learners import Inputs, Learner, Network, Params
from models.learners.base import Embedded
from models.meta.batches import RowReader, by_kind, stacked
from models.meta.gathered import chunked
from models.meta.networks import Networks

_EPISODES_AT_ONCE = 64


@dataclass(frozen=True)
class Start:
    """What adapts to an episode: a learner, what computes its features, and what it learned.

    Args:
        learner: How to adapt.
        networks: What computes features, by task type.
        params: The meta-parameters.
    """

    learner: Learner
    networks: Networks
    params: Params


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
        features: (items, dim) of all rows, end to end.
        begins: (rows,) item at which each row begins.
    """

    pool: Pool
    features: Tensor
    begins: np.ndarray

    def inputs(self, rows: np.ndarray, length: int) -> Inputs:
        """Give features (items, dim): one a row, or for tags `length` a row."""
        if not self.pool.is_tagged:
            return (self.features[torch.from_numpy(self.begins[rows])],)
        inside = np.minimum(np.arange(length), self.pool.ids.lengths[rows][:, None] - 1)
        return (self.features[torch.from_numpy((self.begins[rows][:, None] + inside).ravel())],)


@torch.no_grad()
def embed_pool(
    network: Network, params: Params, reader: RowReader, alive: Callable[[], None] = lambda: None
) -> EmbeddedReader:
    """Compute the features of all rows of a pool once."""
    chunks, begins = chunked(reader, np.arange(len(reader.pool)))
    device = _device(params)
    parts = []
    for chunk in chunks:
        parts.append(network.features(params, tuple(x.to(device) for x in chunk)))
        alive()
    return EmbeddedReader(reader.pool, torch.cat(parts), begins)


def count_episodes(
    start: Start, source: Source, episodes: Sequence[Episode], alive: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Adapt to each episode and count what is right.

    Args:
        start: What is adapted, and how.
        source: Where the episodes' rows are.
        episodes: What to score.
        alive: Called often.

    Returns:
        (episodes, 3) true positives, false positives and false negatives, in the order of `episodes`; for
        classes a right answer is (1, 0, 0) and a wrong one (0, 1, 1), for tags mentions are counted.
    """
    places = {id(episode): place for place, episode in enumerate(episodes)}
    out = np.zeros((len(episodes), 3), np.int64)
    readers: list[RowReader] = list(source.readers)
    if not start.learner.adapts_body:
        for used in {episode.pool for episode in episodes}:
            reader = source.readers[used]
            network = start.networks[reader.pool.kind]
            readers[used] = embed_pool(network, start.params, reader, alive)
    for kind, group in by_kind(episodes, readers):
        for first in range(0, len(group), _EPISODES_AT_ONCE):
            some = group[first : first + _EPISODES_AT_ONCE]
            out[[places[id(episode)] for episode in some]] = _counted(start, kind, some, readers)
            alive()
    return out


def score_episodes(
    start: Start, source: Source, episodes: Sequence[Episode], alive: Callable[[], None] = lambda: None
) -> np.ndarray:
    """Score each episode: accuracy, or for tags the strict F1 of mentions, (episodes,) fractions.

    See `count_episodes`.
    """
    return scores_of(count_episodes(start, source, episodes, alive))


def scores_of(counts: np.ndarray) -> np.ndarray:
    """Give the F1 of counts (..., 3), which is accuracy for classes; 1 where there was nothing to find."""
    right, made_up, missed = np.moveaxis(counts.astype(np.float64), -1, 0)
    total = 2 * right + made_up + missed
    return np.where(total > 0, 2 * right / np.maximum(total, 1), 1.0)


def _counted(
    start: Start, kind: Kind, episodes: Sequence[Episode], readers: Sequence[RowReader]
) -> np.ndarray:
    learner, network = start.learner, start.networks[kind]
    batch = stacked(episodes, readers).to(_device(start.params))
    seen = network if learner.adapts_body else Embedded(network)
    predicted = learner.predict(seen, start.params, batch).argmax(-1).cpu().numpy()
    targets = batch.query.targets.cpu().numpy()
    return (
        mention_counts(predicted, targets) if kind == "token_classification" else answers(predicted, targets)
    )


def _device(params: Params) -> torch.device:
    return next((w.device for w in params.values()), torch.device("cpu"))


def answers(predicted: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count each episode's right and wrong answers, (episodes, 3), over the items that have a class.

    Args:
        predicted: (episodes, items).
        targets: (episodes, items), IGNORED where there is none.
    """
    counted = targets != IGNORED
    right = ((predicted == targets) & counted).sum(1)
    wrong = counted.sum(1) - right
    return np.stack([right, wrong, wrong], axis=1)


def mention_counts(predicted: np.ndarray, targets: np.ndarray) -> np.ndarray:
    """Count each episode's mentions, (episodes, 3): runs of items of one class other than OUTSIDE.

    Args:
        predicted: (episodes, items).
        targets: (episodes, items), IGNORED between the first sub-words of words and beyond.
    """
    pairs = zip(predicted, targets, strict=True)
    return np.array([_mention_counts(p[t != IGNORED], t[t != IGNORED]) for p, t in pairs])


def _mention_counts(predicted: np.ndarray, targets: np.ndarray) -> tuple[int, int, int]:
    found, true = _mentions(predicted), _mentions(targets)
    return len(found & true), len(found - true), len(true - found)


def _mentions(classes: np.ndarray) -> set[tuple[int, int, int]]:
    edges = np.flatnonzero(np.diff(classes, prepend=-1, append=-1))
    return {
        (int(first), int(last), int(classes[first]))
        for first, last in pairwise(edges)
        if classes[first] != OUTSIDE
    }
