"""BIO tags as numbers: entities out of tags, and the best valid tags out of scores, for many rows at once.

Tags are numbered as the head's outputs: 0 is O, 2i + 1 is B- and 2i + 2 is I- of entity type i.
"""

from dataclasses import dataclass

import numpy as np

from models.ragged import Ragged

OUTSIDE = 0


@dataclass(frozen=True)
class Spans:
    """Entities of some rows, in order of where they start in all rows' tags laid end to end.

    Args:
        rows: (entities,) the row of each.
        starts: (entities,) position of the first tag, counted over all rows.
        ends: (entities,) position after the last tag.
        types: (entities,) index of the entity type.
    """

    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    types: np.ndarray


def find_spans(tags: Ragged) -> Spans:
    """Find entities as strict IOB2 has them: one B- and the I- of its type that follow at once."""
    ids, owners = tags.values, tags.owners
    types = (ids - 1) // 2
    inside, begins = (ids > 0) & (ids % 2 == 0), ids % 2 == 1
    goes_on = np.zeros(len(ids), dtype=bool)
    goes_on[1:] = inside[1:] & (ids[:-1] != OUTSIDE) & (types[1:] == types[:-1]) & (owners[1:] == owners[:-1])
    pieces = np.append(np.flatnonzero(~goes_on), len(ids))
    entity = begins[pieces[:-1]]
    starts, ends = pieces[:-1][entity], pieces[1:][entity]
    return Spans(owners[starts], starts, ends, types[starts])


def count_matches(truth: Ragged, predicted: Ragged) -> np.ndarray:
    """Count true positives, false positives and false negatives of each row, (rows, 3) int64.

    An entity counts as found only if its type and both of its ends are right.
    """
    expected, found = find_spans(truth), find_spans(predicted)
    keys = [np.stack([s.starts, s.ends, s.types], axis=1) for s in (expected, found)]
    ends = np.full((len(truth.values), 2), -1)
    ends[expected.starts] = keys[0][:, 1:]
    right = (ends[found.starts] == keys[1][:, 1:]).all(axis=1)
    rows = len(truth.offsets) - 1
    hits = np.bincount(found.rows[right], minlength=rows)
    wrong = np.bincount(found.rows, minlength=rows) - hits
    missed = np.bincount(expected.rows, minlength=rows) - hits
    return np.stack([hits, wrong, missed], axis=1).astype(np.int64)


def best_valid_tags(scores: np.ndarray, lengths: np.ndarray) -> np.ndarray:
    """Find each row's best tags among those valid in IOB2, by Viterbi over all rows at once.

    I- may only follow B- or I- of its type, everything else may follow anything, so a step needs two
    maxima instead of a matrix of transitions. Ties go to the lower tag, so to O first.

    Args:
        scores: (total, tags) log-scores of all rows' words laid end to end.
        lengths: (rows,) words of each row.

    Returns:
        (total,) int64 tags.
    """
    tags = np.zeros(len(scores), dtype=np.int64)
    if not len(scores):
        return tags
    # Longest first: the rows that still have a word at a step are then the first ones.
    order = np.argsort(-lengths, kind="stable")
    begins = (np.cumsum(lengths) - lengths)[order]
    active = np.searchsorted(-lengths[order], -np.arange(lengths.max()), side="left")
    best, came_from = _forward(scores, begins, active)
    ends = best.argmax(axis=1)
    for step in range(len(active) - 1, -1, -1):
        rows = np.arange(active[step])
        places = begins[: active[step]] + step
        tags[places] = ends[: active[step]]
        ends[: active[step]] = came_from[places, ends[rows]]
    return tags


def _forward(scores: np.ndarray, begins: np.ndarray, active: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the score of the best path into each row's last tag, and where each path came from."""
    kinds = scores.shape[1]
    inside = np.arange(2, kinds, 2)
    came_from = np.zeros(scores.shape, dtype=np.int16)
    best = scores[begins[: active[0]]].astype(np.float64)
    best[:, inside] = -np.inf
    for step in range(1, len(active)):
        now = best[: active[step]]
        places = begins[: active[step]] + step
        anywhere = now.argmax(axis=1)
        stays = now[:, inside] >= now[:, inside - 1]
        before = np.repeat(anywhere[:, None], kinds, axis=1)
        before[:, inside] = np.where(stays, inside, inside - 1)
        came_from[places] = before
        best[: active[step]] = np.take_along_axis(now, before, axis=1) + scores[places]
    return np.concatenate([best, np.zeros((len(begins) - len(best), kinds))]), came_from
