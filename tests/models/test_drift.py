"""The drift check: its statistics by hand, its level by simulation, and what it reports."""

import numpy as np
import pytest
from scipy.stats import binom, chi2_contingency, energy_distance

from models.drift import Level, chi_square, detect, energy
from models.drift_window import Window
from models.errors import DataError
from models.schemas import DriftReport

LABELS = ("neg", "pos")


def _window(rows: int, seed: int, shift: float = 0.0, share: float = 0.5) -> Window:
    """Draw a window whose embeddings are moved by `shift` and whose answers are `share` negative."""
    generator = np.random.default_rng(seed)
    return Window(
        texts=[f"text {i}" for i in range(rows)],
        embeddings=generator.normal(shift, 1, (rows, 8)).astype(np.float32),
        label_counts=np.eye(2, dtype=np.int64)[(generator.random(rows) > share).astype(int)],
    )


def _check(reference: Window, current: Window, alpha: float = 0.05, seed: int = 0) -> DriftReport:
    return detect("agent", reference, current, LABELS, Level(alpha, seed))


def _drifted(report: DriftReport) -> dict[str, bool]:
    return {test.name: test.drifted for test in report.tests}


def test_energy_agrees_with_scipy():
    """In one dimension the statistic is the square of scipy's energy distance."""
    generator = np.random.default_rng(0)
    x, y = generator.normal(0, 1, 40), generator.normal(0.5, 1, 60)
    both = np.concatenate([x, y])
    groups = (np.arange(100) < 40)[:, None]
    value = energy(np.abs(both[:, None] - both).astype(np.float32), groups)[0]
    # scipy's is sqrt(2) times Szekely and Rizzo's square root, defined by distribution functions.
    assert value == pytest.approx(energy_distance(x, y) ** 2, rel=1e-4)


def test_chi_square_agrees_with_scipy():
    """On one label a row the statistic is Pearson's; a label that never occurs counts nothing."""
    labels = np.random.default_rng(1).integers(0, 3, 200)
    counts, groups = np.eye(4)[labels], (np.arange(200) < 80)[:, None]
    table = np.stack([counts[:80].sum(axis=0), counts[80:].sum(axis=0)])[:, :3]
    assert chi_square(counts, groups)[0] == pytest.approx(chi2_contingency(table, correction=False).statistic)


def test_moved_embeddings_are_drift():
    """A shift of half a standard deviation is found on 200 rows, and named."""
    report = _check(_window(200, 0), _window(200, 1, shift=0.5))
    assert _drifted(report) == {"embeddings": True, "label shares": False}
    assert report.drifted
    assert "drifted in embeddings" in report.reason


def test_other_answers_are_drift():
    """Half negative before and four fifths now is a change of label shares."""
    report = _check(_window(200, 0), _window(200, 1, share=0.8))
    assert _drifted(report) == {"embeddings": False, "label shares": True}
    assert report.current_shares["neg"] == pytest.approx(0.8, abs=0.1)


def test_the_same_world_is_no_drift():
    """Two windows of one world are not called different."""
    report = _check(_window(200, 0), _window(200, 1))
    assert not report.drifted
    assert report.moved_most == ()


def test_false_alarms_stay_within_alpha():
    """Of 100 checks of one world at most 5 % raise an alarm (99.9 % limit: 13)."""
    alarms = sum(
        _check(_window(30, 2 * seed), _window(30, 2 * seed + 1), seed=seed).drifted for seed in range(100)
    )
    assert alarms <= binom.isf(0.001, 100, 0.05)


def test_words_of_one_row_are_not_taken_as_many():
    """Rows with twenty equal answers each are shuffled whole, so they raise no false alarms."""
    generator = np.random.default_rng(3)
    counts = [20 * np.eye(2)[generator.integers(0, 2, 30)] for _ in range(80)]
    truth = np.arange(60) < 30
    alarms = 0
    for one, other in zip(counts[::2], counts[1::2], strict=True):
        shuffled = generator.permuted(np.tile(truth, (99, 1)), axis=1)
        values = chi_square(np.concatenate([one, other]), np.concatenate([truth[None], shuffled]).T)
        alarms += (values[1:] >= values[0] - 1e-9).sum() + 1 <= 5
    assert alarms <= binom.isf(0.001, 40, 0.05)


def test_the_two_tests_share_alpha():
    """Each test gets half, and shuffles enough to reach well below it."""
    level = Level(0.001, 0)
    assert level.each == 0.0005
    assert 1 / (level.shuffles + 1) < level.each / 4


def test_the_rows_that_moved_most_come_first():
    """A few rows far from the reference window are shown."""
    current = _window(100, 1, shift=0.8)
    current.embeddings[7] += 20
    assert _check(_window(100, 0), current).moved_most[0] == "text 7"


def test_the_picture_has_at_most_400_points_a_window():
    """Windows of any size give a picture that can be drawn."""
    report = _check(_window(500, 0), _window(60, 1))
    assert (len(report.reference_points), len(report.current_points)) == (400, 60)


def test_same_seed_same_report():
    """A check depends on nothing but its arguments."""
    windows = _window(50, 0), _window(50, 1)
    assert _check(*windows) == _check(*windows)


def test_a_tiny_window_is_refused():
    """Below 20 rows there is no check."""
    with pytest.raises(DataError, match="current window has 5 rows"):
        _check(_window(50, 0), _window(5, 1))


def test_windows_without_any_answer_do_not_drift_in_labels():
    """Where no entity was predicted anywhere the shares are equal."""
    reference, current = (
        Window(w.texts, w.embeddings, np.zeros((50, 2), dtype=np.int64))
        for w in (_window(50, 0), _window(50, 1))
    )
    assert _drifted(_check(reference, current))["label shares"] is False
