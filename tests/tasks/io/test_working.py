"""Folders that processes work in, and what is left of them."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from tasks.io import working
from tasks.io.process_identity import this_process
from tasks.io.working import sweep, working_folder

_WORKER = """
import sys, time
from pathlib import Path
from tasks.io.working import working_folder
with working_folder(Path(sys.argv[1])) as folder:
    (folder / "half").write_text("done")
    print("ready", flush=True)
    time.sleep(600)
"""


def _worker(parent: Path) -> subprocess.Popen[bytes]:
    """Start a process that works in a folder there, and wait until it does."""
    worker = subprocess.Popen([sys.executable, "-c", _WORKER, str(parent)], stdout=subprocess.PIPE)
    assert worker.stdout is not None
    assert worker.stdout.readline() == b"ready\n"
    worker.stdout.close()
    return worker


def test_a_folder_is_gone_with_the_work(tmp_path: Path):
    """After the body, and after an error in it, nothing is left."""
    with pytest.raises(RuntimeError, match="on purpose"), working_folder(tmp_path / "new") as folder:
        assert folder.is_dir()
        raise RuntimeError("on purpose")
    assert not list((tmp_path / "new").iterdir())


@pytest.mark.system
def test_what_a_killed_process_left_is_removed(tmp_path: Path):
    """While the process lives its folder stays; once it was killed, the next sweep takes it."""
    worker = _worker(tmp_path)
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 1
    os.kill(worker.pid, signal.SIGKILL)
    worker.wait()
    sweep(tmp_path)
    assert not list(tmp_path.iterdir())


def test_setting_the_clock_takes_no_live_process_for_dead(monkeypatch: pytest.MonkeyPatch):
    """When a process began is told by the kernel's ticks: a clock that is set does not move it."""
    own = this_process()
    psutil_now = psutil.Process().create_time()
    monkeypatch.setattr(psutil.Process, "create_time", lambda _: psutil_now + 100.0)
    assert not own.is_dead()


def test_a_folder_of_another_machine_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Whether a process of another machine lives can't be seen, so what it works in is left alone."""
    (tmp_path / ".tmp-01234567-1-1-abc").mkdir()
    (tmp_path / "named-otherwise").mkdir()
    sweep(tmp_path)
    assert len(list(tmp_path.iterdir())) == 2
    monkeypatch.setattr(working, "_short", lambda _: "01234567")
    sweep(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["named-otherwise"]
