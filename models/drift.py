"""Has the world moved? Two permutation tests between a reference and a current window of rows.

One looks at what the rows say (embeddings of the frozen encoder), the other at what the champion answers.
Both shuffle whole rows between the windows, so that tokens of one row may depend on each other.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from models.drift_window import Window
from models.errors import DataError
from models.schemas import DriftReport, DriftTest

_POINTS = 400
_SHUFFLES_AT_ONCE = 1_000
_MOVED = 5
FEWEST_ROWS = 20

Points = tuple[tuple[float, float], ...]


@dataclass(frozen=True)
class Level:
    """How sure a check has to be before it calls something drift.

    One check is held to `alpha` as a whole. A budget of false alarms over many checks would hand each check
    its share of it here; nothing else in this file would change.

    Args:
        alpha: Chance of a false alarm in this check (0-1).
        seed: Seed of the shuffling.
        tests: Tests that share alpha (Bonferroni).
    """

    alpha: float
    seed: int
    tests: int = 2

    @property
    def each(self) -> float:
        """Give the level of one test."""
        return self.alpha / self.tests

    @property
    def shuffles(self) -> int:
        """Give the shuffles with which a p-value can come well below the level of one test."""
        return max(999, math.ceil(5 / self.each))


def detect(
    agent: str, reference: Window, current: Window, labels: Sequence[str], level: Level
) -> DriftReport:
    """Compare two windows.

    Args:
        agent: Name for the report.
        reference: Rows like those the champion was trained on.
        current: Rows of the new window.
        labels: Names of the columns of `label_counts`.
        level: How sure to be, and the seed of the shuffling.

    Raises:
        DataError: A window has fewer than 20 rows.
    """
    for name, window in (("reference", reference), ("current", current)):
        if window.rows < FEWEST_ROWS:
            raise DataError(
                f"The {name} window has {window.rows} rows; a drift check needs {FEWEST_ROWS}. "
                "Wait for more rows."
            )
    distances = _distances(np.concatenate([reference.embeddings, current.embeddings]))
    counts = np.concatenate([reference.label_counts, current.label_counts]).astype(np.float64)
    groups = _shuffled(reference.rows, current.rows, level)
    tests = (
        _test("embeddings", energy(distances, groups), level),
        _test("label shares", chi_square(counts, groups), level),
    )
    points = _project(reference.embeddings, current.embeddings, level.seed)
    drifted = any(test.drifted for test in tests)
    return DriftReport(
        agent=agent,
        drifted=drifted,
        reason=_reason(tests, level),
        reference_rows=reference.rows,
        current_rows=current.rows,
        alpha=level.alpha,
        tests=tests,
        reference_shares=_shares(reference.label_counts, labels),
        current_shares=_shares(current.label_counts, labels),
        reference_points=points[0],
        current_points=points[1],
        moved_most=_moved_most(distances, reference.rows, current.texts) if drifted else (),
    )


def energy(distances: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Give the energy distance between two groups, for each shuffle.

    Szekely & Rizzo, "Energy statistics: a class of statistics based on distances", J. Statistical Planning
    and Inference 143, 2013: 2 E|X - Y| - E|X - X'| - E|Y - Y'|, which is -w' D w for weights w of 1/n in
    the one group and -1/m in the other.

    Args:
        distances: (rows, rows) between all rows.
        groups: (rows, shuffles) bool, True in the reference group.
    """
    reference = groups.sum(axis=0)
    values = np.empty(groups.shape[1])
    for first in range(0, len(values), _SHUFFLES_AT_ONCE):
        block = slice(first, first + _SHUFFLES_AT_ONCE)
        share = 1 / reference[block], -1 / (len(groups) - reference[block])
        weights = np.where(groups[:, block], *share).astype(np.float32)
        values[block] = -np.einsum("rs,rs->s", weights, distances @ weights, dtype=np.float64)
    return values


def chi_square(counts: np.ndarray, groups: np.ndarray) -> np.ndarray:
    """Give Pearson's chi-square between the groups' label counts, for each shuffle.

    Args:
        counts: (rows, labels) of each row.
        groups: (rows, shuffles) bool, True in the reference group.
    """
    total = counts.sum(axis=0)
    counts, total = counts[:, total > 0], total[total > 0]
    if not len(total):
        return np.zeros(groups.shape[1])
    first = groups.T.astype(np.float64) @ counts
    share = first.sum(axis=1, keepdims=True) / total.sum()
    expected = share * total
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = (first - expected) ** 2 / expected + (first - expected) ** 2 / (total - expected)
    values: np.ndarray = np.nan_to_num(terms, nan=0.0, posinf=0.0).sum(axis=1)
    return values


def _test(name: str, statistics: np.ndarray, level: Level) -> DriftTest:
    """Compare the first statistic, of the windows as they are, with those of the shuffles."""
    observed = float(statistics[0])
    # Sums in another order differ in the last digits; what is equal up to that counts as a hit.
    hits = int((statistics[1:] >= observed - 1e-6 * abs(observed)).sum())
    p_value = (hits + 1) / len(statistics)
    return DriftTest(name=name, statistic=observed, p_value=p_value, drifted=p_value <= level.each)


def _shuffled(reference: int, current: int, level: Level) -> np.ndarray:
    """Give the true groups and then random ones of the same sizes, (rows, shuffles + 1) bool."""
    truth = np.arange(reference + current) < reference
    lines = np.tile(truth, (level.shuffles, 1))
    shuffles = np.random.default_rng(level.seed).permuted(lines, axis=1)
    return np.concatenate([truth[None], shuffles]).T


def _distances(rows: np.ndarray) -> np.ndarray:
    """Give the Euclidean distances between all rows, (rows, rows) float32."""
    rows = (rows - rows.mean(axis=0)).astype(np.float32)
    squares = (rows**2).sum(axis=1)
    gram = rows @ rows.T
    distances: np.ndarray = np.sqrt(np.maximum(squares[:, None] + squares - 2 * gram, 0))
    np.fill_diagonal(distances, 0)
    return distances


def _project(reference: np.ndarray, current: np.ndarray, seed: int) -> tuple[Points, Points]:
    """Project a sample of both windows on their first two principal axes, for a picture."""
    generator = np.random.default_rng(seed)
    parts = [window[np.sort(generator.permutation(len(window))[:_POINTS])] for window in (reference, current)]
    both = np.concatenate(parts).astype(np.float64)
    centred = both - both.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    flat = np.round(centred @ axes[:2].T, 4).tolist()
    points = [(x, y) for x, y in flat]
    return tuple(points[: len(parts[0])]), tuple(points[len(parts[0]) :])


def _moved_most(distances: np.ndarray, reference: int, texts: Sequence[str]) -> tuple[str, ...]:
    """Give the current rows that are farthest from the reference window, measured against their own."""
    rows = distances[reference:]
    apart = rows[:, :reference].mean(axis=1) - rows[:, reference:].mean(axis=1)
    return tuple(texts[index] for index in np.argsort(-apart, kind="stable")[:_MOVED])


def _shares(counts: np.ndarray, labels: Sequence[str]) -> dict[str, float]:
    total = counts.sum(axis=0)
    shares = total / max(total.sum(), 1)
    return dict(zip(labels, shares.tolist(), strict=True))


def _reason(tests: Sequence[DriftTest], level: Level) -> str:
    """Say in one sentence what was found."""
    numbers = ", ".join(f"{test.name} p = {test.p_value:.2g}" for test in tests)
    found = [test.name for test in tests if test.drifted]
    verdict = f"The window drifted in {' and '.join(found)}" if found else "No drift was found"
    return f"{verdict} ({numbers}; each is held to {level.each:.2g})."
