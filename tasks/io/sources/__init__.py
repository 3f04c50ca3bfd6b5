"""Where rows come from: one file a format, listed in FORMATS. A new format is one file and one line."""

from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import MappingProxyType

from models.errors import ConfigError
from models.schemas import SourceConfig
from models.schemas.agent import AdapterName
from tasks.io.sources.base import Part, RawBatch, Source, batches
from tasks.io.sources.conll import ConllSource
from tasks.io.sources.delimited import csv_source, tsv_source
from tasks.io.sources.files import COMPRESSIONS
from tasks.io.sources.huggingface import HuggingFaceSource
from tasks.io.sources.jsonl import JsonlSource
from tasks.io.sources.parquet import ParquetSource
from tasks.io.sources.snapshot import SnapshotSource
from tasks.io.sources.sql import SqlSource

__all__ = ["FORMATS", "Part", "RawBatch", "Source", "batches", "format_of", "open_source"]

FORMATS: Mapping[str, Callable[[SourceConfig, AdapterName], Source]] = MappingProxyType(
    {
        "csv": csv_source,
        "tsv": tsv_source,
        "jsonl": JsonlSource,
        "parquet": ParquetSource,
        "conll": ConllSource,
        "sql": SqlSource,
        "huggingface": HuggingFaceSource,
        "snapshot": SnapshotSource,
    }
)

_SUFFIXES = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".tab": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".conll": "conll",
    ".bio": "conll",
    ".iob": "conll",
}


def format_of(config: SourceConfig) -> str:
    """Tell a source's format: as configured, or from the address's suffix.

    Raises:
        ConfigError: The suffix says nothing.
    """
    if config.format:
        return config.format
    suffixes = PurePosixPath(config.address.split("?")[0].lower()).suffixes
    if suffixes and suffixes[-1] in COMPRESSIONS:
        suffixes.pop()
    found = _SUFFIXES.get(suffixes[-1]) if suffixes else None
    if found is None:
        raise ConfigError(
            f"The format of {config.address} can't be told from its name. "
            f"Set `format` to one of {', '.join(FORMATS)}."
        )
    return found


def open_source(config: SourceConfig, adapter: AdapterName) -> Source:
    """Make the reader of a source; nothing is read before its parts are asked for.

    Raises:
        ConfigError: The format can't be told.
    """
    return FORMATS[format_of(config)](config, adapter)
