"""Blocks of sub-words in an Arrow file, mapped into memory and read one batch at a time."""

from pathlib import Path

import numpy as np
import pyarrow as pa

from models.errors import ArtifactError
from models.ragged import Ragged

BLOCKS_AT_ONCE = 1024
"""Blocks of a record batch; all but the last have as many."""
EMPTY = -1
"""What fills the last block up."""


def block_schema(length: int) -> pa.Schema:
    """Give the schema of blocks of this many sub-words."""
    return pa.schema([("ids", pa.list_(pa.int32(), length))])


class Blocks:
    """Reads blocks by their numbers; only what is asked for comes into memory.

    Args:
        path: An Arrow file in `block_schema`.

    Raises:
        ArtifactError: The file is missing or is not an Arrow file.
    """

    def __init__(self, path: Path) -> None:
        try:
            file = pa.ipc.open_file(pa.memory_map(str(path)))
        except (FileNotFoundError, pa.ArrowInvalid) as error:
            raise ArtifactError(f"{path} holds no blocks ({error}); pack the corpus again.") from error
        self._views = [
            column.flatten().to_numpy().reshape(len(column), -1)
            for column in (file.get_batch(i).column(0) for i in range(file.num_record_batches))
        ]

    def __len__(self) -> int:
        return sum(map(len, self._views))

    def read(self, numbers: np.ndarray) -> Ragged:
        """Give the sub-words of these blocks, in this order; what fills a block up is left out."""
        rows = np.stack([self._views[n // BLOCKS_AT_ONCE][n % BLOCKS_AT_ONCE] for n in numbers.tolist()])
        inside = rows != EMPTY
        return Ragged.from_lengths(rows[inside].astype(np.int64), inside.sum(axis=1))
