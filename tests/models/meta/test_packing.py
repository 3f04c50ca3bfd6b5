import numpy as np
import pytest

from models.meta.packing import NO_ROW, Packing


def test_the_longest_rows_come_first_and_short_ones_fill_up():
    """First fit, longest first: 5 + 1 and 4 + 2 fill two sequences of 6."""
    packing = Packing.of(np.array([1, 5, 2, 4]), 6)
    assert packing.segments.tolist() == [[1, 1, 1, 1, 1, 0], [3, 3, 3, 3, 2, 2]]


def test_what_is_left_belongs_to_no_row():
    """A place that no row takes says so."""
    assert Packing.of(np.array([2]), 3).segments.tolist() == [[0, 0, NO_ROW]]


def test_past_a_rows_end_stands_its_last_place():
    """Places are counted over all sequences."""
    packing = Packing.of(np.array([3, 2]), 4)
    assert packing.places.tolist() == [[0, 1, 2, 2], [4, 5, 5, 5]]


@pytest.mark.parametrize("seed", range(3))
def test_every_sub_word_has_a_place_of_its_own(seed: int):
    """Each row finds itself at its places, and no two share one."""
    lengths = np.random.default_rng(seed).integers(1, 12, 40)
    packing = Packing.of(lengths, 12)
    inside = np.arange(12) < lengths[:, None]
    assert len(np.unique(packing.places[inside])) == lengths.sum()
    owners = packing.segments.ravel()[packing.places]
    assert (owners == np.arange(40)[:, None]).all()
    assert len(packing.segments) <= 1.3 * np.ceil(lengths.sum() / 12)
