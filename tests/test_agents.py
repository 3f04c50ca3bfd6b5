from pathlib import Path

import pytest

from deployments.agents import find_agent, shipped_folder
from tasks.io.snapshots import ingest


@pytest.mark.parametrize("path", sorted(shipped_folder().glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_agent_loads_and_ingests(path: Path, tmp_path: Path):
    """Each shipped description is valid, and its bundled rows make a snapshot."""
    config = find_agent(str(path))
    snapshot = ingest(config, tmp_path)
    assert config.name == path.stem
    assert min(snapshot.split_counts.values()) > 100
