"""Paired approximate randomization for micro F1."""

import numpy as np
import pytest
from scipy.stats import binom

from models.randomization import micro_f1, randomize
from models.statistics import mcnemar


def _right(answers: np.ndarray) -> np.ndarray:
    """Give counts of answers that are right or wrong."""
    return np.stack([answers, ~answers, ~answers], axis=1).astype(np.int64)


def _everything(rows: int) -> np.ndarray:
    return np.ones((1, rows), dtype=bool)


def test_f1_by_hand():
    """2 true and 1 false positive and 1 miss give F1 = 4 / 6; nothing to count gives 0."""
    assert micro_f1(np.array([[2, 1, 1], [0, 0, 0]])).tolist() == pytest.approx([2 / 3, 0])


def test_on_right_and_wrong_it_is_mcnemar():
    """For accuracy the randomization test is the exact McNemar test, up to sampling."""
    champion = np.arange(200) % 10 != 0
    challenger = champion.copy()
    challenger[np.flatnonzero(~champion)[:12]] = True
    challenger[np.flatnonzero(champion)[:4]] = False
    test = randomize(_right(challenger), _right(champion), _everything(200), seed=0)
    expected = float(mcnemar(np.array(12), np.array(4)))
    assert test.above()[0] == pytest.approx(expected, abs=4 * np.sqrt(expected / 9999))


def test_equal_versions_have_p_one():
    """Where no row differs every swap gives the observed gain."""
    counts = np.random.default_rng(0).integers(0, 4, (50, 3))
    test = randomize(counts, counts, _everything(50), seed=0, rounds=99)
    assert test.above()[0] == test.below()[0] == 1


def test_the_smallest_p_value_counts_the_observation():
    """With 99 swaps and none as extreme, p is 1 / 100, not 0."""
    good, bad = np.tile([3, 0, 0], (60, 1)), np.tile([0, 3, 3], (60, 1))
    assert randomize(good, bad, _everything(60), seed=0, rounds=99).above()[0] == pytest.approx(0.01)


def test_same_seed_same_p_values():
    """The test depends on nothing but its arguments."""
    generator = np.random.default_rng(1)
    pair = generator.integers(0, 4, (2, 80, 3))
    first, again = (randomize(*pair, _everything(80), seed=7, rounds=200) for _ in range(2))
    assert (first.null == again.null).all()


def test_swapping_the_versions_turns_the_test_around():
    """Challenger better than champion has the p-value of champion worse than challenger."""
    generator = np.random.default_rng(2)
    one, other = generator.integers(0, 4, (2, 80, 3))
    there = randomize(one, other, _everything(80), seed=0).above()[0]
    back = randomize(other, one, _everything(80), seed=1).below()[0]
    assert there == pytest.approx(back, abs=0.03)


def test_slices_are_tested_on_their_own_rows():
    """A slice's result is what its rows alone would give."""
    generator = np.random.default_rng(3)
    one, other = generator.integers(0, 4, (2, 90, 3))
    mask = np.arange(90) < 30
    both = randomize(one, other, np.stack([np.ones(90, dtype=bool), mask]), seed=0)
    alone = randomize(one[:30], other[:30], _everything(30), seed=0)
    assert both.gain[1] == pytest.approx(alone.gain[0])
    assert both.above()[1] == pytest.approx(alone.above()[0], abs=0.03)


def test_a_margin_moves_the_hypothesis():
    """A small loss is not shown to be within a small margin but is within a large one."""
    generator = np.random.default_rng(4)
    champion = generator.random(600) < 0.85
    challenger = champion ^ (generator.random(600) < 0.05)
    test = randomize(_right(challenger), _right(champion), _everything(600), seed=0)
    assert test.above(0.001)[0] > 0.05
    assert test.above(0.2)[0] < 0.001
    assert test.below(0.2)[0] > 0.99


def test_it_holds_its_level():
    """Versions of equal quality are called better in at most 5 % of 400 samples."""
    generator = np.random.default_rng(5)
    hits = 0
    for seed in range(400):
        pair = generator.binomial(3, [0.8, 0.2, 0.2], (2, 60, 3))
        hits += randomize(*pair, _everything(60), seed=seed, rounds=199).above()[0] <= 0.05
    assert hits <= binom.isf(0.001, 400, 0.05)
