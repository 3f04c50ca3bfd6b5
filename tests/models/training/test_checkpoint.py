from pathlib import Path

import pytest
import torch

from models.training.checkpoint import Checkpoint, read_latest, write_checkpoint


def make(step: int) -> Checkpoint:
    """Make a checkpoint whose tensor tells its step."""
    return Checkpoint(
        step, {"model": {"weight": torch.full((3,), float(step))}, "best": {}}, {"loss": 0.1 * step}
    )


def write(folder: Path, *steps: int) -> None:
    """Write checkpoints of one job."""
    for step in steps:
        write_checkpoint(folder, make(step), "job")


def test_what_is_written_is_read_back(tmp_path: Path):
    """Tensors and values come back as they were, floats to the last bit."""
    write(tmp_path, 3)
    found = read_latest(tmp_path, "job")
    assert found is not None
    assert (found.step, found.values) == (3, {"loss": 0.1 * 3})
    assert torch.equal(found.tensors["model"]["weight"], torch.full((3,), 3.0))
    assert found.tensors["best"] == {}


def test_the_last_two_are_kept(tmp_path: Path):
    """Older checkpoints are removed, and nothing half-written stays."""
    write(tmp_path, 1, 2, 30)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["step-000000002", "step-000000030"]


@pytest.mark.parametrize("damage", ["cut", "changed", "no state", "no object", "empty state"])
def test_a_damaged_one_is_passed_over(tmp_path: Path, damage: str, caplog: pytest.LogCaptureFixture):
    """Where the newest checkpoint is damaged, the one before serves."""
    write(tmp_path, 1, 2)
    tensors, state = (tmp_path / "step-000000002" / name for name in ("model.safetensors", "state.json"))
    content = tensors.read_bytes()
    if damage == "cut":
        tensors.write_bytes(content[:-5])
    elif damage == "changed":
        tensors.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    elif damage == "no state":
        state.unlink()
    elif damage == "no object":
        state.write_text("[]")
    else:
        state.write_text("")
    found = read_latest(tmp_path, "job")
    assert found is not None
    assert found.step == 1
    assert "is passed over" in caplog.text


def test_another_jobs_is_not_read(tmp_path: Path):
    """A checkpoint of another job is none, and a folder that is not there has none."""
    write(tmp_path, 1)
    assert read_latest(tmp_path, "other job") is None
    assert read_latest(tmp_path / "absent", "job") is None
