from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.schemas import ArtifactRef, DatasetSnapshot
from tasks.io.rows import read_rows, sample_split

ROWS = 1000


@pytest.fixture
def snapshot(tmp_path: Path) -> DatasetSnapshot:
    """Store a thousand rows, every second one for training, in row groups of a hundred."""
    table = pa.table({"n": range(ROWS), "split": ["train", "test"] * (ROWS // 2)})
    pq.write_table(table, tmp_path / "rows.parquet", row_group_size=100)
    return DatasetSnapshot(
        artifact=ArtifactRef(address=str(tmp_path), digest=""),
        adapter="text_classification",
        rows=ROWS,
        quarantined=0,
        split_counts={},
        label_counts={},
    )


def _sample(snapshot: DatasetSnapshot, most: int, seed: int = 0) -> list[int]:
    found: list[int] = sample_split(snapshot, "train", ["n"], most, seed)["n"].to_pylist()
    return found


def test_fewer_rows_than_the_cap_are_all_read(snapshot: DatasetSnapshot):
    """They are the split's rows, in order."""
    assert _sample(snapshot, ROWS) == read_rows(snapshot, ["train"], ["n"])["n"].to_pylist()


def test_a_sample_is_in_order_and_of_its_split(snapshot: DatasetSnapshot):
    """Rows beyond the cap are left out at random, the same ones for the same seed."""
    found = _sample(snapshot, 30)
    assert found == _sample(snapshot, 30) == sorted(found)
    assert found != _sample(snapshot, 30, seed=1)
    assert len(found) == 30
    assert all(n % 2 == 0 for n in found)


def test_an_empty_split_gives_an_empty_table(snapshot: DatasetSnapshot):
    """The columns are there all the same."""
    found = sample_split(snapshot, "validation", ["n"], ROWS, 0)
    assert (found.num_rows, found.column_names) == (0, ["n"])
