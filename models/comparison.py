"""One way to compare two versions on the same rows, slice by slice, whatever the metric is."""

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, Protocol

import numpy as np

from models.adapters.base import Outcomes
from models.randomization import Randomization, randomize
from models.statistics import harmed, mcnemar, not_inferior

MetricKind = Literal["accuracy", "f1"]


class Comparison(Protocol):
    """Challenger against another version; every array has one entry a slice."""

    @property
    def better_method(self) -> str:
        """Name the test that `better` runs."""

    @property
    def worse_method(self) -> str:
        """Name the test that `not_inferior` and `harmed` run."""

    @property
    def rows(self) -> np.ndarray:
        """Count the rows compared."""

    @property
    def challenger(self) -> np.ndarray:
        """Give the challenger's score."""

    @property
    def champion(self) -> np.ndarray:
        """Give the other version's score."""

    @property
    def gain(self) -> np.ndarray:
        """Give challenger minus champion."""

    @property
    def variance(self) -> np.ndarray:
        """Give the variance of one row's contribution to the gain where the versions are equal."""

    def better(self) -> np.ndarray:
        """Test that the gain is above 0; p-values."""

    def not_inferior(self, margin: np.ndarray | float) -> np.ndarray:
        """Test that the gain is above -margin; p-values."""

    def harmed(self, margin: np.ndarray | float) -> np.ndarray:
        """Test that the gain is below -margin; p-values."""


def _share(counts: np.ndarray, rows: np.ndarray) -> np.ndarray:
    share: np.ndarray = counts / np.maximum(rows, 1)
    return share


@dataclass(frozen=True)
class AccuracyComparison:
    """Right and wrong rows of both versions.

    Args:
        rows: (slices,) rows compared.
        right: (slices,) rows that the challenger got right.
        wins: (slices,) rows that only the challenger got right.
        losses: (slices,) rows that only the champion got right.
    """

    rows: np.ndarray
    right: np.ndarray
    wins: np.ndarray
    losses: np.ndarray
    better_method: str = "exact McNemar"
    worse_method: str = "Tango score"

    @cached_property
    def challenger(self) -> np.ndarray:
        """Give the challenger's accuracy."""
        return _share(self.right, self.rows)

    @cached_property
    def champion(self) -> np.ndarray:
        """Give the other version's accuracy."""
        return _share(self.right - self.wins + self.losses, self.rows)

    @property
    def gain(self) -> np.ndarray:
        """Give challenger minus champion."""
        return _share(self.wins - self.losses, self.rows)

    @property
    def variance(self) -> np.ndarray:
        """Give the discordance: the share of rows that only one version got right."""
        return _share(self.wins + self.losses, self.rows)

    def better(self) -> np.ndarray:
        """Test by exact McNemar."""
        return mcnemar(self.wins, self.losses)

    def not_inferior(self, margin: np.ndarray | float) -> np.ndarray:
        """Test by Tango's score."""
        return not_inferior(self.wins, self.losses, self.rows, margin)

    def harmed(self, margin: np.ndarray | float) -> np.ndarray:
        """Test by Tango's score, or exactly where the margin is 0."""
        return harmed(self.wins, self.losses, self.rows, margin)


@dataclass(frozen=True)
class F1Comparison:
    """Micro F1 of both versions by paired approximate randomization.

    Args:
        rows: (slices,) rows compared.
        swaps: What random swaps of the versions give.
    """

    rows: np.ndarray
    swaps: Randomization
    better_method: str = "paired approximate randomization"
    worse_method: str = "paired approximate randomization"

    @property
    def challenger(self) -> np.ndarray:
        """Give the challenger's F1."""
        return self.swaps.challenger

    @property
    def champion(self) -> np.ndarray:
        """Give the other version's F1."""
        return self.swaps.champion

    @property
    def gain(self) -> np.ndarray:
        """Give challenger minus champion."""
        return self.swaps.gain

    @cached_property
    def variance(self) -> np.ndarray:
        """Give the rows times the variance of the gain under random swaps."""
        variance: np.ndarray = self.rows * self.swaps.spread**2
        return variance

    def better(self) -> np.ndarray:
        """Test against random swaps."""
        return self.swaps.above()

    def not_inferior(self, margin: np.ndarray | float) -> np.ndarray:
        """Test against random swaps, shifted by the margin; nothing is shown without rows."""
        return np.where(self.rows > 0, self.swaps.above(margin), 1.0)

    def harmed(self, margin: np.ndarray | float) -> np.ndarray:
        """Test against random swaps, shifted by the margin; nothing is shown without rows."""
        return np.where(self.rows > 0, self.swaps.below(margin), 1.0)


def compare(
    challenger: Outcomes, champion: Outcomes, masks: np.ndarray, metric: MetricKind, seed: int
) -> Comparison:
    """Compare two versions on the rows of each mask.

    Args:
        challenger: Outcomes, one line a row.
        champion: Outcomes on the same rows in the same order.
        masks: (slices, rows) bool.
        metric: `accuracy` looks at `exact`, `f1` at `counts`.
        seed: Seed of random swaps.
    """
    if metric == "f1":
        swaps = randomize(challenger.counts, champion.counts, masks, seed)
        return F1Comparison(rows=masks.sum(axis=1), swaps=swaps)
    columns = np.empty((len(challenger.exact), 4), dtype=np.float32)
    columns[:, 0] = 1
    columns[:, 1] = challenger.exact
    np.greater(challenger.exact, champion.exact, out=columns[:, 2], casting="unsafe")
    np.greater(champion.exact, challenger.exact, out=columns[:, 3], casting="unsafe")
    # float32 counts up to 16.7 million rows exactly, and numpy multiplies it by BLAS.
    dtype = np.float32 if len(columns) < 1 << 24 else np.float64
    rows, right, wins, losses = (masks.astype(dtype) @ columns.astype(dtype, copy=False)).T.astype(np.int64)
    return AccuracyComparison(rows, right, wins, losses)
