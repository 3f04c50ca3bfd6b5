"""Paired approximate randomization for micro F1, which is no mean over rows; many slices share the flips."""

from dataclasses import dataclass

import numpy as np

ROUNDS = 9_999
_SWAPS_AT_ONCE = 20_000_000
_SAME = 1e-9


def micro_f1(counts: np.ndarray) -> np.ndarray:
    """Give F1 = 2 tp / (2 tp + fp + fn) of counts (..., 3); 0 where there is nothing to count."""
    hits = 2.0 * counts[..., 0]
    total = hits + counts[..., 1] + counts[..., 2]
    score: np.ndarray = np.divide(hits, total, out=np.zeros_like(hits), where=total > 0)
    return score


@dataclass(frozen=True)
class Randomization:
    """Observed gains in F1 and what they would be if swapping the two versions row by row changed nothing.

    Args:
        challenger: (slices,) F1 of the challenger.
        champion: (slices,) F1 of the champion.
        null: (rounds, slices) gains after random swaps.
    """

    challenger: np.ndarray
    champion: np.ndarray
    null: np.ndarray

    @property
    def gain(self) -> np.ndarray:
        """Give challenger minus champion, (slices,)."""
        gain: np.ndarray = self.challenger - self.champion
        return gain

    @property
    def spread(self) -> np.ndarray:
        """Give the standard deviation of the gain where the versions are equal, (slices,)."""
        spread: np.ndarray = self.null.std(axis=0)
        return spread

    def above(self, margin: np.ndarray | float = 0.0) -> np.ndarray:
        """Test that the gain is above -margin; with a margin the null's gains are shifted down by it.

        The shift takes the spread of the gain to be the same at -margin as at 0: an approximation, close
        for margins of a few points. At 0 the test is exact up to the (hits + 1) / (rounds + 1) of sampling.
        """
        return self._share(self.null >= self.gain + margin - _SAME)

    def below(self, margin: np.ndarray | float = 0.0) -> np.ndarray:
        """Test that the gain is below -margin; see `above`."""
        return self._share(self.null <= self.gain + margin + _SAME)

    @staticmethod
    def _share(hits: np.ndarray) -> np.ndarray:
        share: np.ndarray = (hits.sum(axis=0) + 1) / (len(hits) + 1)
        return share


def randomize(
    challenger: np.ndarray, champion: np.ndarray, masks: np.ndarray, seed: int, rounds: int = ROUNDS
) -> Randomization:
    """Swap the two versions' counts in random rows, many times.

    Yeh, "More accurate tests for the statistical significance of result differences", COLING 2000
    (arXiv cs/0008005), after Noreen, Computer-Intensive Methods for Testing Hypotheses, 1989.

    Args:
        challenger: (rows, 3) true positives, false positives, false negatives.
        champion: (rows, 3) the same of the champion.
        masks: (slices, rows) bool.
        seed: Seed of the swaps.
        rounds: Random swaps.
    """
    weights = masks.astype(np.float64)
    sums, other_sums = weights @ challenger, weights @ champion
    # A row with equal counts is the same swapped or not.
    differs = (challenger != champion).any(axis=1)
    change = (champion - challenger)[differs].astype(np.float32)
    moved = np.einsum("sr,rc->rsc", weights[:, differs].astype(np.float32), change)
    flat = moved.reshape(int(differs.sum()), len(masks) * 3)
    generator = np.random.default_rng(seed)
    null = np.empty((rounds, len(masks)))
    block = max(1, _SWAPS_AT_ONCE // max(1, len(flat)))
    for first in range(0, rounds, block):
        size = min(block, rounds - first)
        swaps = generator.integers(0, 2, (size, len(flat)), dtype=np.uint8).astype(np.float32)
        shift = (swaps @ flat).reshape(size, len(masks), 3).astype(np.float64)
        null[first : first + size] = micro_f1(sums + shift) - micro_f1(other_sums - shift)
    return Randomization(micro_f1(sums), micro_f1(other_sums), null)
