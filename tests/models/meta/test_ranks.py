"""Several processes over episodes give the update of one."""

import subprocess
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

pytestmark = pytest.mark.system
ROOT = Path(__file__).parents[3]


def _run(world: int, folder: Path) -> None:
    command = [sys.executable, "-m", "tests.models.meta.rank_job"]
    ranks = [
        subprocess.Popen([*command, str(rank), str(world), str(folder)], cwd=ROOT) for rank in range(world)
    ]
    assert [rank.wait() for rank in ranks] == [0] * world


def test_two_processes_give_the_update_of_one(tmp_path: Path):
    """One takes two of three episodes; both end with the weights of a single process, up to rounding."""
    _run(1, tmp_path)
    _run(2, tmp_path)
    alone = load_file(tmp_path / "1-0.safetensors")
    for rank in range(2):
        found = load_file(tmp_path / f"2-{rank}.safetensors")
        for name, weight in alone.items():
            torch.testing.assert_close(found[name], weight, rtol=1e-4, atol=1e-6)
