"""The pages as a person opens and leaves them."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from deployments.embedded import free_port

pytestmark = pytest.mark.system


def _servers(home: Path) -> list[int]:
    """Find the processes of whatever serves this home, by the setting that each of them inherits."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            if process.environ().get("QUICKSTUDY_HOME") == str(home):
                found.append(process.pid)
    return found


def _wait_until(condition: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.1)


@pytest.mark.parametrize(("sign", "processes"), [(signal.SIGKILL, 7), (signal.SIGTERM, 3)])
def test_no_server_outlives_the_pages(tmp_path: Path, sign: signal.Signals, processes: int):
    """However and whenever `quickstudy ui` ends, both servers and all their workers end with it."""
    command = [sys.executable, "-m", "deployments.cli", "ui"]
    command += ["--prefect-port", str(free_port()), "--mlflow-port", str(free_port())]
    environment = os.environ | {"QUICKSTUDY_HOME": str(tmp_path)}
    with (tmp_path / "log").open("wb") as log:
        pages = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait_until(lambda: len(_servers(tmp_path)) >= processes, 120)
        pages.send_signal(sign)
        pages.wait(60)
        _wait_until(lambda: not _servers(tmp_path), 15)
    finally:
        pages.kill()
        for pid in _servers(tmp_path):
            os.kill(pid, signal.SIGKILL)
