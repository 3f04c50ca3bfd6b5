"""How far a model's confidence is from how often it is right."""

import numpy as np

from models.schemas import ReliabilityBin

BINS = 15


def reliability(confidence: np.ndarray, right: np.ndarray, bins: int = BINS) -> tuple[ReliabilityBin, ...]:
    """Group predictions of similar confidence; empty groups are left out.

    Args:
        confidence: (predictions,) of the answer given, 0-1.
        right: (predictions,) bool, or how close each was (fraction, 0-1).
        bins: Groups of equal width.
    """
    group = np.minimum((confidence * bins).astype(np.int64), bins - 1)
    rows = np.bincount(group, minlength=bins)
    filled = rows > 0
    sure = np.bincount(group, confidence, bins)[filled] / rows[filled]
    hits = np.bincount(group, right, bins)[filled] / rows[filled]
    lines = zip(sure.tolist(), hits.tolist(), rows[filled].tolist(), strict=True)
    return tuple(ReliabilityBin(confidence=c, accuracy=a, rows=n) for c, a, n in lines)


def calibration_error(bins: tuple[ReliabilityBin, ...]) -> float:
    """Give the expected calibration error: mean |confidence - accuracy| over predictions, 0-1.

    Naeini, Cooper & Hauskrecht, "Obtaining well calibrated probabilities using Bayesian binning", AAAI 2015.
    """
    rows = sum(one.rows for one in bins)
    return sum(one.rows * abs(one.confidence - one.accuracy) for one in bins) / rows if rows else 0.0
