"""Splits by time."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.errors import DataError
from tasks.io.time_split import _kth, find_cuts

TIMES = st.lists(st.integers(-(2**62), 2**62) | st.integers(-3, 3), min_size=1, max_size=50)


@given(TIMES, st.data())
@settings(max_examples=200, deadline=None)
def test_the_kth_time_is_that_of_sorting(times: list[int], data: st.DataObject):
    """Digit by digit, the same value is found as by sorting."""
    k = data.draw(st.integers(0, len(times) - 1))
    assert _kth(np.array(times, np.int64), k) == sorted(times)[k]


def test_newest_rows_are_held_out(tmp_path: Path):
    """Of a hundred times, the newest ten are test and the twenty before them validation."""
    np.random.default_rng(0).permutation(100).astype(np.int64).tofile(tmp_path / "times")
    cuts = find_cuts(tmp_path / "times", 0.2, 0.1)
    assert np.bincount(cuts.codes(np.arange(100))).tolist() == [70, 20, 10]
    assert cuts.codes(np.array([89, 90])).tolist() == [1, 2]


def test_one_time_for_all_is_refused(tmp_path: Path):
    """Times that can't be told apart leave a split empty."""
    np.zeros(10, np.int64).tofile(tmp_path / "times")
    with pytest.raises(DataError, match="leaves no train rows"):
        find_cuts(tmp_path / "times", 0.2, 0.1)
