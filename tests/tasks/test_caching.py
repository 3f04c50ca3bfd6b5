"""Cached steps on a Prefect server of their own: what hits, what misses, and the reason that is noted."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from prefect.settings import (
    PREFECT_LOCAL_STORAGE_PATH,
    PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW,
    temporary_settings,
)

from benchmarks.tiny_agent import make_agent
from deployments.agents import find_agent
from models.schemas import AgentConfig
from tasks.caching import step_log
from tasks.ingest import ingest
from tasks.io.digests import folder_digest
from tasks.io.home import current_home
from tasks.preprocess import preprocess

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def server() -> Iterator[None]:
    """Start a Prefect server for the module's tests."""
    from prefect.testing.utilities import prefect_test_harness  # imports the server: two seconds

    with prefect_test_harness(server_startup_timeout=120):
        yield


@pytest.fixture
def config(server: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AgentConfig]:
    """Give a tiny agent with a home of its own."""
    monkeypatch.setenv("QUICKSTUDY_HOME", str(tmp_path / "home"))
    results = current_home().make().results
    with temporary_settings(
        {PREFECT_LOCAL_STORAGE_PATH: results, PREFECT_LOGGING_TO_API_WHEN_MISSING_FLOW: "ignore"}
    ):
        yield find_agent(str(make_agent(tmp_path / "agent", rows=200)))


def last_reason() -> str:
    """Give the reason of the step that was noted last."""
    return str(json.loads(step_log().read_text().splitlines()[-1])["reason"])


def damage(path: Path) -> None:
    """Flip a bit in the middle of a file."""
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def test_the_same_again_is_a_hit(config: AgentConfig):
    """A step whose inputs, config and code stayed the same is not run."""
    first = ingest(config)
    assert last_reason() == "miss: first run of this step"
    assert ingest(config) == first
    assert last_reason() == "hit: same inputs, config and code"


def test_a_changed_setting_is_a_miss_that_names_it(config: AgentConfig):
    """The reason says which field changed."""
    ingest(config)
    ingest(config.model_copy(update={"test_share": 0.3}))
    assert last_reason() == "miss: changed: config test_share"


def test_a_truncated_snapshot_is_ingested_again(config: AgentConfig):
    """A damaged artifact is no hit; the step makes it anew in its place."""
    snapshot = ingest(config)
    rows = Path(snapshot.artifact.address) / "rows.parquet"
    rows.write_bytes(rows.read_bytes()[:-100])
    assert ingest(config) == snapshot
    assert last_reason() == f"miss: {snapshot.artifact.address} is damaged"
    assert folder_digest(Path(snapshot.artifact.address)) == snapshot.artifact.digest


def test_a_flipped_bit_in_tokens_is_encoded_again(config: AgentConfig):
    """No training learns from sub-words that changed after they were made."""
    encoded = preprocess(config, ingest(config))
    damage(Path(encoded.artifact.address) / "train.arrow")
    assert preprocess(config, ingest(config)) == encoded
    assert last_reason() == f"miss: {encoded.artifact.address} is damaged"
    assert folder_digest(Path(encoded.artifact.address)) == encoded.artifact.digest


def test_a_removed_artifact_is_made_again(config: AgentConfig):
    """A result is of no use without what it names."""
    snapshot = ingest(config)
    Path(snapshot.artifact.address).rename(current_home().root / "elsewhere")
    assert ingest(config) == snapshot
    assert last_reason() == f"miss: {snapshot.artifact.address} is gone"
