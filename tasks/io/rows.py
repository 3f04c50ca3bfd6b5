"""Rows of a snapshot, read back by split."""

from collections.abc import Collection, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
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
    path = Path(snapshot.artifact.address) / "rows.parquet"
    if not path.is_file():
        raise ArtifactError(f"{path} is gone. Run ingest again (`quickstudy train AGENT`).")
    return pq.read_table(path, columns=columns, filters=[("split", "in", list(splits))])


def text_hashes(snapshot: DatasetSnapshot, splits: Collection[str]) -> np.ndarray:
    """Give the hashes of the normalized texts of some splits, (rows,) uint64."""
    hashes: np.ndarray = read_rows(snapshot, splits, ["text_hash"])["text_hash"].to_numpy()
    return hashes
