"""Source `huggingface`: a dataset by id or by folder; class numbers become the classes' names."""

import importlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from models.errors import DataError, TransientError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.address import fill
from tasks.io.sources.base import Part, RawBatch, check_columns, wanted_columns
from tasks.io.sources.columnar import raw_batch
from tasks.io.sources.faults import can_pass

BATCH_ROWS = 20_000


class HuggingFaceSource:
    """Rows of a Hugging Face dataset.

    Args:
        config: `address` is an id or a folder, `query` the split.
        adapter: The task type, which decides the columns.
    """

    def __init__(self, config: SourceConfig, adapter: AdapterName) -> None:
        self.config = config
        self.wanted = wanted_columns(config, adapter)

    def parts(self) -> Iterator[Part]:
        """Stream the split in Arrow batches."""
        data = self._one_split(_load(self.config.address))
        names = data.column_names or list(next(iter(data.take(1)), {}))
        check_columns(self.wanted, names, self.config.address)
        features = {c: data.features[c] for c in self.wanted.values()} if data.features else {}
        first, file = 1, str(data.split or self.config.query or "")
        columns = data.select_columns(sorted(set(self.wanted.values()))).with_format("arrow")
        for table in columns.iter(BATCH_ROWS):
            yield partial(_batch, table, features, self.wanted, (first, file))
            first += len(table)

    def _one_split(self, data: Any) -> Any:  # noqa: ANN401 - four kinds of datasets
        if not isinstance(data, dict):
            return data
        split = self.config.query or (next(iter(data)) if len(data) == 1 else None)
        if split not in data:
            names = ", ".join(data)
            raise DataError(f"{self.config.address} has the splits {names}; set `query` to one of them.")
        return data[split]


def _load(address: str) -> Any:  # noqa: ANN401 - four kinds of datasets
    # Imported late, as it takes a second, and by name, as its package re-exports without saying so.
    datasets: Any = importlib.import_module("datasets")

    filled = fill(address)
    folder = Path(filled.text)
    try:
        if (folder / "dataset_dict.json").exists() or (folder / "state.json").exists():
            return datasets.load_from_disk(filled.text)
        return datasets.load_dataset(filled.text, streaming=True)
    except (OSError, ValueError, datasets.exceptions.DatasetsError) as error:
        kind = TransientError if can_pass(error) else DataError
        told = filled.hide(str(error).partition("\n")[0])
        raise kind(f"{address} can't be loaded as a dataset: {told}") from filled.cause(error)


def _batch(
    table: pa.Table, features: dict[str, Any], wanted: dict[str, str], where: tuple[int, str]
) -> RawBatch:
    for column, feature in features.items():
        table = table.set_column(
            table.column_names.index(column), column, _named(table[column].combine_chunks(), feature)
        )
    return raw_batch(table, wanted, *where)


def _named(values: pa.Array, feature: Any) -> pa.Array:  # noqa: ANN401 - a datasets feature
    """Replace class numbers by names; -1 is the mark for a hidden label and becomes null."""
    inner = getattr(feature, "feature", None)
    if pa.types.is_list(values.type) and inner is not None and hasattr(inner, "names"):
        return pa.ListArray.from_arrays(values.offsets, _named(values.values, inner))
    names = getattr(feature, "names", None)
    if not names or not pa.types.is_integer(values.type):
        return values
    hidden = pa.compute.equal(values, -1)
    return pa.array(names, pa.string()).take(pa.compute.if_else(hidden, None, values))
