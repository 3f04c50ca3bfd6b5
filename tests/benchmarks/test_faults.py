import random
import shutil

import pytest

from benchmarks import faults
from benchmarks.tiny_agent import make_agent

pytestmark = pytest.mark.system


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> faults.Stage:
    """Write the tiny agent and an empty home with its databases made."""
    folder = tmp_path_factory.mktemp("faults")
    agent, home, empty = str(make_agent(folder / "agent", rows=450)), folder / "home", folder / "empty"
    home.mkdir()
    faults.finish(("gc", "--dry-run"), home)
    shutil.copytree(home, empty)
    return faults.Stage("train", ("train", agent), home, empty, 1)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_a_killed_run_is_finished_by_the_next(stage: faults.Stage, seed: int):
    """After SIGKILL at a seeded step, the same command ends with one version, one champion, nothing left."""
    steps = random.Random(seed).randint(1, 9)
    faults.restore(stage.template, stage.home)
    done = faults.trial(stage, f"after step {steps}", lambda: faults.new_steps(stage.home, set()) >= steps)
    assert (done.killed, done.problems) == (True, ())
