"""Further training rows of a snapshot."""

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq

from models.schemas import AgentConfig, ArtifactRef
from models.schemas.made_rows import Rewriters
from models.text_hash import text_hashes as hash_texts
from tasks.io.augmenting import ROWS, augment_rows, find_rewriters
from tasks.io.rows import read_rows, text_hashes
from tasks.io.snapshots import ingest


def _agent(folder: Path, **changes: object) -> AgentConfig:
    moods = enumerate(["good", "bad"] * 60)
    rows = [f"film {i} begins {w} and ends after {i} minutes,{'pos' if i % 2 else 'neg'}" for i, w in moods]
    (folder / "a.csv").write_text("\n".join(["text,label", *rows]) + "\n")
    values = {"name": "a", "adapter": "text_classification", "labels": ["neg", "pos"]}
    sources = [{"address": str(folder / "a.csv")}]
    return AgentConfig.model_validate({**values, "sources": sources, "augment": ["crossover"], **changes})


def test_made_rows_are_new_and_of_the_training_rows_labels(tmp_path: Path):
    """No text stands in the snapshot, each says which way made it, and what was dropped is counted."""
    config = _agent(tmp_path, augment_copies=2)
    snapshot = ingest(config, tmp_path)
    made = augment_rows(config, snapshot, Rewriters(), tmp_path / "made")
    rows = pq.read_table(Path(made.artifact.address) / ROWS)
    train = read_rows(snapshot, ["train"]).num_rows
    assert rows.num_rows == made.kept["crossover"] > 0
    assert made.kept["crossover"] + made.dropped["crossover"] == 2 * train
    known = text_hashes(snapshot, ["train", "validation", "test"])
    assert not np.isin(hash_texts(rows["text"].combine_chunks()), known).any()
    assert set(rows["label"].to_pylist()) == {"neg", "pos"}


def test_the_same_inputs_make_the_same_rows(tmp_path: Path):
    """The artifact's digest depends on nothing else."""
    config = _agent(tmp_path)
    snapshot = ingest(config, tmp_path)
    made: list[ArtifactRef] = [
        augment_rows(config, snapshot, Rewriters(), tmp_path / name).artifact for name in ("one", "two")
    ]
    assert made[0].digest == made[1].digest


def test_another_model_under_the_same_name_is_noticed(tmp_path: Path):
    """The step's key stands on what the masked language model's folder holds."""
    (tmp_path / "config.json").write_text("{}")
    fields = {"augment": ["masked_words"], "masked_lm": str(tmp_path)}
    first = find_rewriters(None, _agent(tmp_path, **fields))
    (tmp_path / "config.json").write_text("{ }")
    assert find_rewriters(None, _agent(tmp_path, **fields)) != first
