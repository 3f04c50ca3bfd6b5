import numpy as np
import pyarrow as pa

from benchmarks.adaptive import METHODS, interval, table
from benchmarks.adaptive import _split_by_class as split_by_class


def test_the_interval_is_of_paired_rows():
    """Rows that are all better by the same have an interval of one point."""
    assert interval(np.full(50, 0.02)) == "+2.0 (+2.0 to +2.0)"


def test_every_method_is_a_line_beside_plain():
    """Scores, differences and the ratio of times stand in each method's line."""
    right = {name: {"clean": [np.arange(8) < 4 + (name != "plain")] * 3} for name in METHODS}
    lines = table(right, {name: [2.0 if name == "fgm" else 1.0] * 3 for name in METHODS}).splitlines()
    assert lines[2] == "| plain | 50.0 (50.0-50.0) | - | 1.0 |"
    assert lines[3].startswith("| fgm | 62.5 (62.5-62.5) | +12.5 (")
    assert lines[3].endswith("| 2.0 |")


def test_each_class_gives_as_many_rows():
    """Of every class as many rows train and choose the epoch, others by seed."""
    rows = pa.table({"text": [str(i) for i in range(60)], "label": ["a", "b", "c"] * 20})
    first, other = split_by_class(rows, 10, 2, 0), split_by_class(rows, 10, 2, 1)
    counts = first.group_by(["label", "split"]).aggregate([([], "count_all")])
    assert sorted(counts["count_all"].to_pylist()) == [2, 2, 2, 8, 8, 8]
    assert first["text"].to_pylist() != other["text"].to_pylist()
