import json
import signal
from pathlib import Path

import pytest

from models.errors import TrainingMemoryError
from tasks.io.training_failures import failure


def told(out: Path) -> str:
    """Give what is said of a failure, which must be one paragraph that names the log."""
    message = str(failure(out, 1, killed_for_memory=False))
    assert str(out / "child.log") in message
    assert "Traceback" not in message
    assert "\n" not in message
    return message


def test_an_error_without_a_file_is_told_by_its_last_line(tmp_path: Path):
    """A child that could not even write its error file is quoted, without its traceback."""
    log = "Epoch 1\nTraceback (most recent call last):\n  File x\nOSError: No space left on device\n"
    (tmp_path / "child.log").write_text(log)
    message = told(tmp_path)
    assert "ended by exit code 1" in message
    assert "OSError: No space left on device" in message


def test_a_long_error_is_cut(tmp_path: Path):
    """An error of many lines becomes one of a few hundred letters."""
    error = {"type": "RuntimeError", "message": "first line\n" + "frame of C++\n" * 1000}
    (tmp_path / "error.json").write_text(json.dumps(error))
    message = told(tmp_path)
    assert "RuntimeError: first line frame" in message
    assert len(message) < 1000


def test_memory_that_runs_out_is_told_by_its_type(tmp_path: Path):
    """An error of the child for want of memory comes back as a TrainingMemoryError."""
    (tmp_path / "error.json").write_text('{"type": "TrainingMemoryError", "message": "full"}')
    assert isinstance(failure(tmp_path, 1, killed_for_memory=False), TrainingMemoryError)


@pytest.mark.parametrize("killed_for_memory", [True, False])
def test_a_kill_counts_as_memory_only_if_the_kernel_says_so(tmp_path: Path, killed_for_memory: bool):
    """SIGKILL is what the kernel sends for want of memory, and what a person may send as well."""
    error = failure(tmp_path, -signal.SIGKILL, killed_for_memory=killed_for_memory)
    assert isinstance(error, TrainingMemoryError) == killed_for_memory
