"""The command line as a person uses it: real processes, a home of their own."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from benchmarks.tiny_agent import make_agent

Command = Callable[..., subprocess.CompletedProcess[str]]


def _run(home: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in `home`."""
    return subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words],
        env=os.environ | {"QUICKSTUDY_HOME": str(home), "COLUMNS": "100"} | environment,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


@pytest.fixture(scope="session")
def quickstudy() -> Command:
    """Give the function that runs a command in a home."""
    return _run


@pytest.fixture(scope="session")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the tiny agent; give its YAML."""
    return make_agent(tmp_path_factory.mktemp("tiny"))


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory, tiny: Path) -> tuple[Path, str]:
    """Train the tiny agent once with foreign settings around; give its home and what was printed."""
    home = tmp_path_factory.mktemp("home")
    answer = _run(home, "train", str(tiny), PREFECT_API_URL="http://127.0.0.1:1/api")
    assert answer.returncode == 0, answer.stderr
    return home, answer.stdout + answer.stderr
