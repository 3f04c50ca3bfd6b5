"""Splits by time in flat memory: the newest rows are held out, those before validate."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from models.errors import DataError
from models.text_hash import SPLITS

_CHUNK = 1 << 20
_DIGIT = 16


@dataclass(frozen=True)
class TimeCuts:
    """Rows from `validation` on validate, rows from `test` on are held out (microseconds since 1970)."""

    validation: int
    test: int

    def codes(self, times: np.ndarray) -> np.ndarray:
        """Assign times to splits: (rows,) int8 positions in SPLITS."""
        return ((times >= self.validation).astype(np.int8) + (times >= self.test)).astype(np.int8)


def find_cuts(path: Path, validation_share: float, test_share: float) -> TimeCuts:
    """Find where the newest rows begin, in a file of int64 times in the order of rows.

    Rows of one time stay together, so the shares hold as nearly as the times allow.

    Raises:
        DataError: The times leave a split without rows.
    """
    times = np.memmap(path, np.int64, "r")
    rows = len(times)
    test = _kth(times, min(rows - 1, round(rows * (1 - test_share))))
    validation = _kth(times, min(rows - 1, round(rows * (1 - test_share - validation_share))))
    cuts = TimeCuts(validation, test)
    found = np.zeros(len(SPLITS), np.int64)
    for start in range(0, rows, _CHUNK):
        found += np.bincount(cuts.codes(times[start : start + _CHUNK]), minlength=len(SPLITS))
    if (found == 0).any():
        empty = SPLITS[int(np.flatnonzero(found == 0)[0])]
        raise DataError(
            f"Splitting {rows} rows by time leaves no {empty} rows: too many share one time. "
            "Use a finer time_column, or split_by: hash."
        )
    return cuts


def _kth(times: np.ndarray, k: int) -> int:
    """Give the k-th smallest value, counting from 0, digit by digit, without sorting."""
    prefix, shift = 0, 64 - _DIGIT
    while shift >= 0:
        counts = np.zeros(1 << _DIGIT, np.int64)
        for start in range(0, len(times), _CHUNK):
            keys = _ordered(times[start : start + _CHUNK])
            if shift < 64 - _DIGIT:
                keys = keys[keys >> np.uint64(shift + _DIGIT) == np.uint64(prefix)]
            digits = (keys >> np.uint64(shift)) & np.uint64((1 << _DIGIT) - 1)
            counts += np.bincount(digits.astype(np.int64), minlength=1 << _DIGIT)
        ends = np.cumsum(counts)
        digit = int(np.searchsorted(ends, k, side="right"))
        k -= int(ends[digit] - counts[digit])
        prefix, shift = (prefix << _DIGIT) | digit, shift - _DIGIT
    return prefix - (1 << 63)


def _ordered(times: np.ndarray) -> np.ndarray:
    """Map int64 to uint64 so that the order stays."""
    return times.view(np.uint64) ^ np.uint64(1 << 63)
