import json
from pathlib import Path

import pytest

from models.schemas import ArtifactRef
from tasks.io.digests import ref_to
from tasks.io.stored_results import why_useless


@pytest.fixture
def artifact(tmp_path: Path) -> ArtifactRef:
    """Make a folder with a file and describe it."""
    (tmp_path / "made").mkdir()
    (tmp_path / "made" / "rows").write_text("1")
    return ref_to(tmp_path / "made")


@pytest.fixture
def result(tmp_path: Path, artifact: ArtifactRef) -> Path:
    """Store a result as Prefect does; deep in it the artifact is named."""
    stored = tmp_path / "result"
    stored.write_text(json.dumps({"result": json.dumps({"data": [{"model": artifact.model_dump()}]})}))
    return stored


def test_a_result_is_of_use_while_its_artifacts_are_whole(result: Path):
    """Nothing speaks against a result whose artifact is what its digest says."""
    assert why_useless(result) is None


def test_a_result_whose_artifact_is_gone_is_useless(result: Path, artifact: ArtifactRef):
    """The reason names the artifact."""
    Path(artifact.address).rename(f"{artifact.address}-moved")
    assert why_useless(result) == f"{artifact.address} is gone"


def test_a_result_whose_artifact_was_changed_is_useless(result: Path, artifact: ArtifactRef):
    """A single changed byte is noticed."""
    (Path(artifact.address) / "rows").write_text("2")
    assert why_useless(result) == f"{artifact.address} is damaged"


def test_a_half_written_result_is_useless(tmp_path: Path):
    """A result that a kill cut off does not count."""
    (tmp_path / "result").write_text('{"result": "{\\"data')
    assert why_useless(tmp_path / "result") == f"the stored result {tmp_path / 'result'} is damaged"
