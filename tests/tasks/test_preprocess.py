from pathlib import Path

import pytest

from models.errors import ArtifactError
from models.schemas import AgentConfig, DatasetSnapshot
from tasks.preprocess import preprocess


def test_damaged_rows_are_not_encoded(agent: AgentConfig, snapshot: DatasetSnapshot):
    """Rows that changed after ingest are refused before a word of them is read."""
    Path(snapshot.artifact.address, "rows.parquet").write_bytes(b"2")
    with pytest.raises(ArtifactError, match="was changed after it was made"):
        preprocess.fn(agent, snapshot)
