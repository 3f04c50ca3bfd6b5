"""From outcomes tables to the gate's evidence."""

import numpy as np
import pyarrow as pa
import pytest

from models.errors import DataError
from models.gating.evidence import REFERENCE, Measured
from models.gating.tables import OutcomeTables, evidence_from


def _table(hashes: list[int], exact: list[bool]) -> pa.Table:
    right = np.array(exact)
    return pa.table(
        {
            "text_hash": pa.array(hashes, pa.uint64()),
            "tp": pa.array(right.astype(np.int64)),
            "fp": pa.array((~right).astype(np.int64)),
            "fn": pa.array((~right).astype(np.int64)),
            "exact": exact,
            "confidence": [0.9] * len(exact),
            "slices": [["source=a"]] * len(exact),
        }
    )


def test_versions_are_aligned_by_hash():
    """A champion evaluated in another order, and on more rows, is compared row by row."""
    tables = OutcomeTables(
        _table([5, 3, 2**64 - 1], [True, True, True]),
        champion=_table([2**64 - 1, 7, 3, 5], [False, False, True, True]),
    )
    evidence = evidence_from(tables, None, None, Measured(), "accuracy")
    assert evidence.champion is not None
    assert evidence.champion.exact.tolist() == [True, True, False]


def test_rows_with_the_same_hash_are_told_apart():
    """The first of two rows with one hash is compared with the first, the second with the second."""
    tables = OutcomeTables(_table([4, 1, 4], [True] * 3), champion=_table([4, 4, 1], [True, False, True]))
    evidence = evidence_from(tables, None, None, Measured(), "accuracy")
    assert evidence.champion is not None
    assert evidence.champion.exact.tolist() == [True, True, False]


def test_a_version_that_lacks_rows_is_refused():
    """A comparison on different rows is no comparison."""
    tables = OutcomeTables(_table([1, 2], [True, True]), champion=_table([1], [True]))
    with pytest.raises(DataError, match="champion has no outcomes for 1 of 2 rows"):
        evidence_from(tables, None, None, Measured(), "accuracy")


def test_rows_outside_of_the_current_window_are_the_reference():
    """The rest of the held-out rows becomes a slice of its own."""
    tables = OutcomeTables(_table([1, 2, 3], [True] * 3))
    evidence = evidence_from(tables, pa.array([3, 9], pa.uint64()), None, Measured(), "accuracy")
    assert evidence.current.tolist() == [False, False, True]
    assert evidence.slices[REFERENCE].tolist() == [True, True, False]


def test_without_a_window_all_rows_are_current():
    """A first training has no reference window."""
    tables = OutcomeTables(_table([1, 2], [True] * 2), baselines={"plain": _table([2, 1], [True, False])})
    evidence = evidence_from(tables, None, np.array([0, 3]), Measured(), "f1")
    assert evidence.current.all()
    assert REFERENCE not in evidence.slices
    assert evidence.baselines["plain"].exact.tolist() == [False, True]
    assert evidence.fresh(3).tolist() == [True, False]
