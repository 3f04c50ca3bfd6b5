"""Source `parquet`: a row's number takes the place of its line."""

from collections.abc import Iterator
from functools import partial

import pyarrow as pa
import pyarrow.parquet as pq

from models.errors import DataError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import Part, check_columns, wanted_columns
from tasks.io.sources.columnar import raw_batch
from tasks.io.sources.files import find_files, opened

BATCH_ROWS = 65_536


class ParquetSource:
    """Rows of Parquet files.

    Args:
        config: Where the files are and how their columns map.
        adapter: The task type, which decides the columns.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        self.config = config
        self.wanted = wanted_columns(config, adapter)

    def parts(self) -> Iterator[Part]:
        """Read batches of the mapped columns."""
        for found in find_files(self.config.address):
            try:
                with opened(found) as stream, pq.ParquetFile(stream) as file:
                    check_columns(self.wanted, file.schema_arrow.names, found.path)
                    first = 1
                    for batch in file.iter_batches(BATCH_ROWS, columns=sorted(set(self.wanted.values()))):
                        yield partial(raw_batch, pa.table(batch), self.wanted, first, found.name)
                        first += len(batch)
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise DataError(f"{found.path} is no readable Parquet file: {error}.") from error
