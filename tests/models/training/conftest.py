"""A small job on the tiny encoder, and a record of its whole outcome."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from models.preprocess import encode_snapshot
from models.schemas import AgentConfig, ArtifactRef
from models.training.files import folder_ref
from models.training.job import TrainJob

WORDS = {"neg": "awful bad poor sad", "neu": "plain table paper seven", "pos": "great good happy fine"}


def _text_rows(count: int, seed: int = 0, labels: tuple[str, ...] = ("neg", "neu", "pos")) -> pa.Table:
    """Make short texts whose words tell the label, four in five for training."""
    rng = np.random.default_rng(seed)
    chosen = [labels[i % len(labels)] for i in range(count)]
    texts = [" ".join(rng.choice(WORDS[label].split(), rng.integers(2, 12))) for label in chosen]
    splits = ["validation" if i % 5 == 4 else "train" for i in range(count)]
    return pa.table({"text": texts, "label": chosen, "split": splits})


@pytest.fixture
def text_rows() -> Callable[..., pa.Table]:
    """Give the function that makes short labelled texts."""
    return _text_rows


@pytest.fixture
def make_job(make_config: Callable[..., AgentConfig], tmp_path: Path) -> Callable[..., TrainJob]:
    """Give a function that encodes rows and describes a training on them."""

    def make(rows: pa.Table | None = None, out: str = "out", **changes: object) -> TrainJob:
        config = make_config(**{"tokens_per_batch": 64, "epochs": 2, "learning_rate": 1e-3, **changes})
        table = _text_rows(90) if rows is None else rows
        path, encoded = tmp_path / "rows.parquet", tmp_path / "encoded"
        pq.write_table(table, path)
        encode_snapshot(config, path, encoded)
        digest = folder_ref(encoded).digest
        return TrainJob(
            config=config,
            encoded=ArtifactRef(address=str(encoded), digest=digest),
            rows=str(path),
            out=str(tmp_path / out),
        )

    return make
