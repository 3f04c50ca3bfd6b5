"""An agent and a snapshot's record, for steps that look at them before they do anything."""

from pathlib import Path

import pytest

from models.schemas import AgentConfig, ArtifactRef, DatasetSnapshot, SourceConfig
from tasks.io.digests import folder_digest


@pytest.fixture
def agent() -> AgentConfig:
    """Describe an agent."""
    return AgentConfig(
        name="agent",
        adapter="text_classification",
        labels=("a", "b"),
        sources=(SourceConfig(address="rows.csv"),),
    )


@pytest.fixture
def snapshot(tmp_path: Path) -> DatasetSnapshot:
    """Describe a folder with a file in the place of rows."""
    folder = tmp_path / "snapshot"
    folder.mkdir()
    (folder / "rows.parquet").write_bytes(b"1")
    return DatasetSnapshot(
        artifact=ArtifactRef(address=str(folder), digest=folder_digest(folder)),
        adapter="text_classification",
        rows=1,
        quarantined=0,
        split_counts={},
        label_counts={},
    )
