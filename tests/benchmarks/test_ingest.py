"""The ingest benchmark at a tiny size."""

from pathlib import Path

import pytest

from benchmarks.ingest import RUNS, Run, check_counts, measure, table
from benchmarks.ingest_data import KINDS, make_files


def test_bad_rows_of_every_kind_are_made(tmp_path: Path):
    """The second file has the rows of the first and one bad row in a thousand."""
    files = make_files(tmp_path, KINDS * 1000)
    clean, dirty = files.clean.read_bytes(), files.dirty.read_bytes()
    assert files.bad == KINDS
    assert clean.count(b"\n") == KINDS * 1000 + 1
    assert dirty.count(b"\n") == KINDS * 1001 + 1


@pytest.mark.system
def test_every_row_is_accounted_for(tmp_path: Path):
    """A run of each kind in its own process gives the rows that were written."""
    files = make_files(tmp_path, KINDS * 1000)
    runs = [measure(files, kind) for kind in RUNS]
    check_counts(runs, KINDS * 1000, files.bad)
    assert [run.aside for run in runs] == [0, KINDS - 2, KINDS]


def test_a_lost_row_stops_the_benchmark():
    """Figures of a run that lost a row are not reported."""
    with pytest.raises(SystemExit, match="10 and 1 were written"):
        check_counts([Run("ingest", 1.0, 1.0, 10, 0)], 10, 1)


def test_the_table_compares_with_pyarrow():
    """Ratios are of median speeds."""
    runs = [Run("pyarrow", 1.0, 100.0, 1000), Run("ingest", 2.0, 200.0, 1000), Run(RUNS[2], 4.0, 300.0, 1000)]
    assert [line.split(" | ")[4] for line in table(1000, runs).splitlines()] == ["1.00", "0.50", "0.25"]
