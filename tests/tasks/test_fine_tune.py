from pathlib import Path

import pytest

from models.errors import ArtifactError
from models.schemas import AgentConfig, DatasetSnapshot, EncodedDataset
from tasks.fine_tune import fine_tune
from tasks.io.digests import ref_to


def test_damaged_windows_teach_nothing(agent: AgentConfig, snapshot: DatasetSnapshot, tmp_path: Path):
    """Sub-words that changed after they were made are refused before a training begins."""
    windows = tmp_path / "train.arrow"
    windows.write_bytes(b"1")
    encoded = EncodedDataset(artifact=ref_to(windows), snapshot=snapshot.artifact, windows={}, tokens={})
    windows.write_bytes(b"2")
    with pytest.raises(ArtifactError, match="was changed after it was made"):
        fine_tune.fn(agent, snapshot, encoded)
