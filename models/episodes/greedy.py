"""Greedy choice of sentences so that each entity type is mentioned K to 2K times."""

import numpy as np

from models.episodes.pool import Pool


def mentions(pool: Pool) -> np.ndarray:
    """Count each row's mentions of each type: (rows, types).

    A mention is a run of words of one type; a word counts at its first sub-word.
    """
    counted = pool.labels.values >= 0
    owners, values = pool.labels.owners[counted], pool.labels.values[counted]
    begins = np.ones(len(values), bool)
    begins[1:] = (values[1:] != values[:-1]) | (owners[1:] != owners[:-1])
    begins &= values > 0
    counts = np.zeros((len(pool), len(pool.classes)), np.int64)
    np.add.at(counts, (owners[begins], values[begins] - 1), 1)
    return counts


def greedy_rows(counts: np.ndarray, shots: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Choose rows until each type has its shots.

    Ding et al., "Few-NERD", 2021, arXiv:2105.07464, algorithm 1: rows are taken at random; one that would
    bring a type over 2K is left out, and so is one without a type that is still short.

    Rows with types outside of the episode, which the algorithm rejects too, are not among `counts`.

    Departure: where that ends without K mentions of a type, since its rows mention others too often, the
    rows that are over by least are taken until it has K, or until there are no rows of it.

    Args:
        counts: (rows, types) mentions.
        shots: (types,) K of each type.
        rng: Where chance comes from.

    Returns:
        The rows' positions, in the order in which they were taken.
    """
    order = rng.permutation(np.flatnonzero(counts.sum(1) > 0))
    have = np.zeros(counts.shape[1], np.int64)
    chosen: list[int] = []
    ahead = order
    while len(ahead) and (have < shots).any():
        # The next row in the order that fits, found among all that are left at once.
        fits = (counts[ahead][:, have < shots] > 0).any(1) & (have + counts[ahead] <= 2 * shots).all(1)
        if not fits.any():
            break
        place = int(fits.argmax())
        chosen.append(int(ahead[place]))
        have += counts[ahead[place]]
        ahead = ahead[place + 1 :]
    left = np.setdiff1d(order, chosen, assume_unique=True)
    while (have < shots).any() and len(left):
        useful = left[(counts[left][:, have < shots] > 0).any(1)]
        if not len(useful):
            break
        over = np.maximum(have + counts[useful] - 2 * shots, 0).sum(1)
        best = int(useful[over.argmin()])
        chosen.append(best)
        have += counts[best]
        left = left[left != best]
    return np.array(chosen, np.int64)
