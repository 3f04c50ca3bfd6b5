from pathlib import Path

import pytest

from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from models.schemas.agent import GATE_FIELDS
from tasks.io.step_keys import KeyHistory, StepKey, step_key


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


_FEW = {"protected_slices": {"label=bad": 0.1}, "anchor_version": 3}


@pytest.mark.parametrize("field", GATE_FIELDS)
def test_a_gate_setting_does_not_retrain(field: str):
    """Config fields that only judge stay outside the keys of the other steps."""
    changed = _config(**{field: _FEW.get(field, 7 if "min" in field or "reuse" in field else 0.3)})
    keys = {step_key("tasks.io.digests", {"config": config}).digest for config in (_config(), changed)}
    assert len(keys) == 1


def test_a_local_encoder_counts_by_content(tmp_path: Path):
    """An encoder folder whose weights were replaced is another encoder."""
    config = _config(encoder=str(tmp_path))
    (tmp_path / "weights").write_text("1")
    before = step_key("tasks.io.digests", {"config": config}).digest
    (tmp_path / "weights").write_text("2")
    assert step_key("tasks.io.digests", {"config": config}).digest != before


def test_training_stands_on_the_loop_that_its_child_runs():
    """The key of fine-tuning covers the code of the child process."""
    parts = step_key("tasks.fine_tune", {}).parts
    assert {"code models.training.loop", "library torch", "library transformers"} <= set(parts)


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
