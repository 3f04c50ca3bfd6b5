"""The simulated world is the one that is described, and its figures are counted right."""

import numpy as np
import pytest

from benchmarks.gate_histories import HARM, MEAN, RULES, SLICES, WEEKS, _draw_sample, simulate
from benchmarks.gate_histories_report import summarize


@pytest.mark.parametrize("discordance", [0.05, 0.15])
def test_rows_have_the_accuracies_and_the_discordance(discordance: float):
    """On many rows both versions are right as often as said, slice by slice, and differ as often."""
    champion = np.full(SLICES, MEAN)
    challenger = champion + 0.01
    challenger[2] -= HARM
    chances = np.random.default_rng(0).random((50_000, SLICES))
    sample = _draw_sample(challenger, champion, chances, discordance, 50_000 * SLICES)
    both = np.stack([sample.challenger, sample.champion]).reshape(2, -1, SLICES)
    assert both.mean(axis=1) == pytest.approx(np.stack([challenger, champion]), abs=0.008)
    differs = (both[0] != both[1]).mean(axis=0)
    assert differs == pytest.approx(np.full(SLICES, discordance), abs=0.008)


def test_a_sample_has_the_rows_asked_for():
    """500 rows do not divide by eight slices; there are 500 of them all the same."""
    chances = np.random.default_rng(0).random((63, SLICES))
    sample = _draw_sample(np.full(SLICES, 0.8), np.full(SLICES, 0.8), chances, 0.1, 500)
    assert len(sample.challenger) == len(sample.champion) == 500


def test_a_history_can_be_lived_again():
    """The same seed gives the same year, under every rule."""
    first, again = (simulate(3, seed=1, rows=200, discordance=0.1) for _ in range(2))
    assert first.shape == (len(RULES), 6 + WEEKS)
    assert (first == again).all()


def test_figures_are_shares_of_promotions():
    """Two histories with 1 of 2 and 0 of 2 promotions truly worse make 25 %."""
    table = np.zeros((2, 2, 6 + WEEKS))
    table[:, :, 0] = 2
    table[0, 0, 1] = 1
    figures = summarize(table, ["gate", "McNemar alone"])
    assert figures["gate"][1].startswith("25.0 (")
    assert figures["McNemar alone"][1].startswith("0.0 (")
