"""Source `snapshot`: the rows of an earlier snapshot, each with its first source and its split."""

from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.parquet import ParquetSource

ORIGIN = "source"
"""The column that tells it; other formats have none."""

SPLIT = "split"
"""The column that tells where a row went, where it stays."""


class SnapshotSource(ParquetSource):
    """Rows that were checked and stored once.

    Args:
        config: `address` is a snapshot's rows.parquet.
        adapter: The task type, which decides the columns.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        super().__init__(config, adapter)
        self.wanted = {**self.wanted, ORIGIN: ORIGIN, SPLIT: SPLIT}
