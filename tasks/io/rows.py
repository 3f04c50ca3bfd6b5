"""Rows of a snapshot, read back by split."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from models.errors import ArtifactError
from models.schemas import DatasetSnapshot


def read_rows(
    snapshot: DatasetSnapshot, splits: Collection[str], columns: Sequence[str] | None = None
) -> pa.Table:
    """Read the rows of some splits, in the snapshot's order.

    Raises:
        ArtifactError: The snapshot is gone.
    """
    return pq.read_table(_rows_path(snapshot), columns=columns, filters=[("split", "in", list(splits))])


def text_hashes(snapshot: DatasetSnapshot, splits: Collection[str]) -> np.ndarray:
    """Give the hashes of the normalized texts of some splits, (rows,) uint64."""
    hashes: np.ndarray = read_rows(snapshot, splits, ["text_hash"])["text_hash"].to_numpy()
    return hashes


def sample_split(
    snapshot: DatasetSnapshot, split: str, columns: Sequence[str], most: int, seed: int
) -> pa.Table:
    """Read at most `most` rows of a split, chosen at random, in the snapshot's order and in flat memory.

    Raises:
        ArtifactError: The snapshot is gone.
    """
    path = _rows_path(snapshot)
    splits = pq.read_table(path, columns=["split"])["split"]
    chosen = np.flatnonzero(pc.equal(splits, split).to_numpy(zero_copy_only=False))
    if len(chosen) > most:
        chosen = np.sort(np.random.default_rng(seed).choice(chosen, most, replace=False))
    with pq.ParquetFile(path) as file:
        parts = [file.schema_arrow.empty_table().select(list(columns))]
        first = 0
        for batch in file.iter_batches(columns=list(columns)):
            low, high = np.searchsorted(chosen, [first, first + batch.num_rows])
            part = batch.take(pa.array(chosen[low:high] - first))
            parts.append(pa.Table.from_batches([part]).select(list(columns)))
            first += batch.num_rows
    return pa.concat_tables(parts)


def _rows_path(snapshot: DatasetSnapshot) -> Path:
    path = Path(snapshot.artifact.address) / "rows.parquet"
    if not path.is_file():
        raise ArtifactError(f"{path} is gone. Run ingest again (`quickstudy train AGENT`).")
    return path
