"""Reliability bins and the expected calibration error."""

import numpy as np
import pytest
import torch
from torchmetrics.functional.classification import binary_calibration_error

from models.metrics.calibration import calibration_error, reliability


def test_bins_by_hand():
    """Two of three answers at 0.9 are right, and one at 0.1 is wrong."""
    bins = reliability(np.array([0.9, 0.9, 0.9, 0.1]), np.array([True, True, False, False]), bins=10)
    assert [(b.rows, round(b.confidence, 3), round(b.accuracy, 3)) for b in bins] == [
        (1, 0.1, 0.0),
        (3, 0.9, 0.667),
    ]
    assert calibration_error(bins) == pytest.approx((0.1 + 3 * (0.9 - 2 / 3)) / 4)


def test_it_agrees_with_torchmetrics():
    """The expected calibration error is that of torchmetrics with as many bins."""
    generator = np.random.default_rng(0)
    confidence = generator.random(500)
    right = generator.random(500) < confidence**2
    expected = binary_calibration_error(torch.tensor(confidence), torch.tensor(right.astype(int)), n_bins=15)
    assert calibration_error(reliability(confidence, right)) == pytest.approx(float(expected), abs=1e-6)


def test_full_confidence_has_a_bin():
    """A confidence of exactly 1 falls into the last bin."""
    assert reliability(np.ones(3), np.ones(3, dtype=bool))[0].rows == 3


def test_nothing_is_perfectly_calibrated():
    """Without answers there is no error."""
    assert calibration_error(()) == 0
