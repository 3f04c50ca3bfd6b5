"""WNUT17 (noisy text, six entity types) as the rows that the product trains on.

The files are those of $QUICKSTUDY_DATA/wnut17; `benchmarks/fetch.py` says where they come from.
"""

import os
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from models.adapters import get_adapter
from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from models.training.files import folder_ref
from models.training.job import TrainJob

LABELS = ("corporation", "creative-work", "group", "location", "person", "product")
_FILES = {"train": "wnut17train.conll", "validation": "emerging.dev.conll", "test": "emerging.test.annotated"}


def wnut17_rows(most: int | None = None) -> pa.Table:
    """Read the official splits; `most` limits the rows of each, for small tries."""
    return pa.concat_tables([_read(split, name).slice(0, most) for split, name in _FILES.items()])


def wnut17_config(**changes: object) -> AgentConfig:
    """Describe an agent for WNUT17."""
    values = {
        "name": "wnut17",
        "adapter": "token_classification",
        "labels": LABELS,
        "sources": (SourceConfig(address="wnut17", format="conll"),),
    }
    return AgentConfig.model_validate(values | changes)


def encoded_job(rows: pa.Table, config: AgentConfig, folder: Path) -> TrainJob:
    """Write the rows, encode them by the product's own function, and describe the training."""
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(rows, folder / "rows.parquet")
    encode_snapshot(config, folder / "rows.parquet", folder / "encoded")
    encoded = ArtifactRef(address=str(folder / "encoded"), digest=folder_ref(folder / "encoded").digest)
    return TrainJob(
        config=config, encoded=encoded, rows=str(folder / "rows.parquet"), out=str(folder / "out")
    )


def entity_counts(rows: pa.Table, predictions: pa.Table, config: AgentConfig) -> np.ndarray:
    """Count true positives, false positives and false negatives of each row, (rows, 3)."""
    counts: np.ndarray = get_adapter(config).outcomes(rows, predictions).counts
    return counts


def f1_of(counts: np.ndarray) -> np.ndarray:
    """Give micro F1 of summed counts, (..., 3) to (...)."""
    found, made_up, missed = np.moveaxis(counts.astype(float), -1, 0)
    f1: np.ndarray = 2 * found / np.maximum(1.0, 2 * found + made_up + missed)
    return f1


def folder_from(variable: str) -> Path:
    """Give the folder that an environment variable names, or end with what to do."""
    value = os.environ.get(variable)
    if not value or not Path(value).is_dir():
        sys.exit(f"{variable} names no folder (got {value!r}); benchmarks/fetch.py says what belongs there.")
    return Path(value)


def read_conll(path: Path) -> pa.Table:
    """Read `tokens` and `tags` of a CoNLL file: token, tab, tag; sentences between empty lines."""
    blocks = "\n".join(line.strip() for line in path.read_text("utf-8").splitlines()).split("\n\n")
    sentences = [[line.split("\t") for line in block.split("\n") if line] for block in blocks]
    sentences = [sentence for sentence in sentences if sentence]
    tokens = [[cells[0] for cells in sentence] for sentence in sentences]
    tags = [[cells[-1] for cells in sentence] for sentence in sentences]
    return pa.table({"tokens": tokens, "tags": tags})


def _read(split: str, name: str) -> pa.Table:
    rows = read_conll(folder_from("QUICKSTUDY_DATA") / "wnut17" / name)
    return rows.append_column("split", pa.array([split] * len(rows)))
