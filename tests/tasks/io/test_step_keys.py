import json
from pathlib import Path

from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from tasks.io.step_keys import KeyHistory, StepKey, missing_artifact, step_key


def _config(**changes: object) -> AgentConfig:
    values = {
        "name": "mood",
        "adapter": "text_classification",
        "labels": ("bad", "good"),
        "sources": (SourceConfig(address="rows.csv"),),
    }
    return AgentConfig.model_validate(values | changes)


def test_a_moved_artifact_keeps_the_key():
    """Inputs count by digest, not by where they lie."""
    here, there = (ArtifactRef(address=a, digest="d") for a in ("/a", "/b"))
    assert step_key("tasks.io.digests", {"x": here}) == step_key("tasks.io.digests", {"x": there})


def test_another_content_changes_the_key():
    """An artifact with another digest is another input."""
    one, two = (ArtifactRef(address="/a", digest=d) for d in "12")
    assert step_key("tasks.io.digests", {"x": one}).digest != step_key("tasks.io.digests", {"x": two}).digest


def test_a_gate_setting_does_not_retrain():
    """Config fields that only judge stay outside the keys of the other steps."""
    keys = {step_key("tasks.io.digests", {"config": _config(alpha=a)}).digest for a in (0.05, 0.01)}
    assert len(keys) == 1


def test_a_training_setting_changes_the_key():
    """Config fields that train are part of the key."""
    keys = {step_key("tasks.io.digests", {"config": _config(seed=s)}).digest for s in (1, 2)}
    assert len(keys) == 2


def test_a_miss_names_what_changed(tmp_path: Path):
    """The reason of a miss lists the parts that differ from the nearest key seen."""
    history = KeyHistory(tmp_path)
    history.remember("mood", StepKey("ingest", {"code a": "1", "config seed": "1", "input x": "1"}))
    now = StepKey("ingest", {"code a": "1", "config seed": "2", "input x": "1"})
    assert history.explain("mood", now) == "changed: config seed"


def test_the_first_miss_says_so(tmp_path: Path):
    """A step that never ran has no other reason."""
    assert KeyHistory(tmp_path).explain("mood", StepKey("ingest", {})) == "first run of this step"


def test_a_result_whose_artifact_is_gone_is_noticed(tmp_path: Path):
    """A stored result is of no use without the artifact it names."""
    gone = str(tmp_path / "gone")
    stored = tmp_path / "result"
    stored.write_text(json.dumps({"result": json.dumps({"data": {"address": gone, "digest": "d"}})}))
    assert missing_artifact(stored) == gone
