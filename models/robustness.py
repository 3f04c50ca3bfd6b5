"""How much of a score is left when held-out rows are written a little differently.

What is changed, and how, is in `models/perturb/`.
"""

from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from models.adapters import TaskAdapter
from models.evaluate import outcomes_of
from models.metrics import score_counts
from models.metrics.bootstrap import interval
from models.perturb import PERTURBATIONS, Dose
from models.randomization import micro_f1
from models.schemas import Metric, Robustness, SliceScore
from models.schemas.robustness import PerturbationName
from models.slices import masks_of

_SEED = 0
"""The same for every agent, so that versions of any seed are scored on the same changed rows."""


def score_perturbed(
    adapter: TaskAdapter, predict: Callable[[pa.Table], pa.Table], rows: pa.Table, clean: pa.Table
) -> tuple[Robustness, ...]:
    """Score the rows again under each perturbation that the adapter's agent lists.

    Args:
        adapter: The agent's task adapter.
        predict: Gives the adapter's prediction columns for rows.
        rows: Held-out rows in a snapshot's schema, labelled.
        clean: Their outcomes as they are, see `models/evaluate.py`; slices are those of these rows.
    """
    return tuple(_score(name, adapter, predict, (rows, clean)) for name in adapter.config.robustness)


def _score(
    name: PerturbationName,
    adapter: TaskAdapter,
    predict: Callable[[pa.Table], pa.Table],
    before: tuple[pa.Table, pa.Table],
) -> Robustness:
    rows, clean = before
    column, seed = str(adapter.perturbed), adapter.config.seed
    changed = PERTURBATIONS[name]().apply(rows, column, Dose(adapter.config.robustness_share, _SEED))
    touched = _differ(rows[column], changed[column])
    clean_counts = outcomes_of(clean).counts
    counts = clean_counts.astype(np.float64)
    if touched.any():
        subset = changed.filter(pa.array(touched))
        counts[touched] = adapter.outcomes(subset, predict(subset)).counts
    masks = masks_of(clean["slices"]).items()
    return Robustness(
        perturbation=name,
        changed=int(touched.sum()),
        clean=score_counts(clean_counts, seed),
        perturbed=score_counts(counts, seed),
        lost=share_lost(clean_counts, counts, seed),
        slices=tuple(SliceScore(name=n, metric=score_counts(counts[mask], seed)) for n, mask in masks),
    )


def share_lost(clean: np.ndarray, perturbed: np.ndarray, seed: int) -> Metric:
    """Give the fraction of the clean score that is lost, resampling each row's two outcomes together.

    Args:
        clean: (rows, 3) counts as in `Outcomes`.
        perturbed: Those of the same rows, changed.
        seed: Seed of the resampling.
    """
    pairs, frequencies = np.unique(np.hstack([clean, perturbed]), axis=0, return_counts=True)
    return interval(pairs, frequencies, _lost, seed)


def _lost(sums: np.ndarray) -> np.ndarray:
    """Give 1 - perturbed / clean of summed counts (..., 6); nothing is lost of a score of nothing."""
    before, after = micro_f1(sums[..., :3]), micro_f1(sums[..., 3:])
    lost: np.ndarray = 1.0 - np.divide(after, before, out=np.ones(np.shape(before)), where=before > 0)
    return lost


def _differ(before: pa.ChunkedArray, after: pa.ChunkedArray) -> np.ndarray:
    """Tell which rows are not what they were, (rows,) bool; the others need not be predicted again."""
    texts = [one if pa.types.is_string(one.type) else pc.binary_join(one, " ") for one in (before, after)]
    found: np.ndarray = pc.fill_null(pc.not_equal(*texts), False).to_numpy()
    return found
