from pathlib import Path

import pytest

from models.schemas import AgentConfig, ArtifactRef, SourceConfig
from models.schemas.agent import GATE_FIELDS
from tasks.io import step_keys
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


_FEW = {"protected_slices": {"label=bad": 0.1}, "anchor_version": 3, "groups": ("domain",)}
_WITH: dict[str, dict[str, object]] = {
    "max_group_gap": {"groups": ("domain",)},
    "groups": {"max_group_gap": 0.3},
    "max_robustness_drop": {"robustness": ("typos",)},
}
"""What a field can not be without."""


@pytest.mark.parametrize("field", GATE_FIELDS)
def test_a_gate_setting_does_not_retrain(field: str):
    """Config fields that only judge stay outside the keys of the other steps."""
    value = _FEW.get(field, 7 if "min" in field or "reuse" in field else 0.3)
    changed = _config(**_WITH.get(field, {}) | {field: value})
    keys = {step_key("tasks.io.digests", {"config": config}).digest for config in (_config(), changed)}
    assert len(keys) == 1


def test_a_field_that_a_step_does_not_read_stays_outside_its_key():
    """A step that names the fields which it leaves aside has one key for all their values."""
    keys = {
        step_key("tasks.io.digests", {"config": _config(epochs=n)}, aside=frozenset({"epochs"})).digest
        for n in (2, 3)
    }
    assert len(keys) == 1


def _preprocess_parts(encoder: Path | str) -> dict[str, str]:
    return step_key("tasks.preprocess", {"config": _config(encoder=str(encoder))}).parts


def test_a_local_encoder_counts_by_content(tmp_path: Path):
    """An encoder folder whose weights were replaced is another encoder."""
    (tmp_path / "model.safetensors").write_text("1")
    before = _preprocess_parts(tmp_path)
    (tmp_path / "model.safetensors").write_text("2")
    after = _preprocess_parts(tmp_path)
    assert {name for name in before if before[name] != after[name]} == {"content encoder"}


def test_a_hub_encoder_counts_by_its_commit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """The same id at another commit is another encoder."""
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    parts = []
    for number in "12":
        stored = tmp_path / "models--me--tiny"
        (stored / "snapshots" / (number * 40)).mkdir(parents=True)
        (stored / "snapshots" / (number * 40) / "config.json").write_text('{"model_type": "bert"}')
        (stored / "refs").mkdir(exist_ok=True)
        (stored / "refs" / "main").write_text(number * 40)
        step_keys._encoder_digest.cache_clear()  # another process
        parts.append(_preprocess_parts("me/tiny")["content encoder"])
    assert parts[0] != parts[1]


def test_an_encoder_that_can_not_be_found_does_not_fail_the_key():
    """The step itself says what is wrong."""
    assert "content encoder" not in _preprocess_parts("nobody/no-such-model")


def test_a_step_that_reads_no_encoder_does_not_stand_on_one(tmp_path: Path):
    """Its key holds neither the encoder's content nor its code."""
    parts = step_key("tasks.ingest", {"config": _config(encoder=str(tmp_path))}).parts
    assert not {"content encoder", "code models.encoder"} & set(parts)


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
