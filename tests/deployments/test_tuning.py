"""`quickstudy tune` from a description with ranges to a proposed file that `train` takes up."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from deployments.agents import shipped_folder
from deployments.tuning import _beside, tune_agent
from models.errors import ConfigError

Command = Callable[..., subprocess.CompletedProcess[str]]


def _with_search(tiny: Path, name: str) -> Path:
    """Write the tiny agent with ranges, beside its rows."""
    search = {"head_learning_rate": {"low": 0.019, "high": 0.1}, "unit_features": [False, True]}
    path = tiny.with_name(f"{name}.yaml")
    fields = {"search": search, "search_trials": 2, "search_workers": 2}
    path.write_text(tiny.read_text() + yaml.safe_dump(fields, sort_keys=False))
    return path


@pytest.mark.system
def test_a_search_ends_with_a_table_and_a_file(trained: tuple[Path, str], tiny: Path, quickstudy: Command):
    """Two workers try two trials, one of them trained before; nothing is registered, and yours stays."""
    agent = _with_search(tiny, "searched")
    before = agent.read_text()
    answer = quickstudy(trained[0], "tune", str(agent))
    assert answer.returncode == 0, answer.stderr
    assert "Trial" in answer.stdout or "Nothing better" in answer.stdout
    assert "champion" not in answer.stderr
    assert agent.read_text() == before
    assert ("Wrote" in answer.stdout) is agent.with_name("searched.tuned.yaml").exists()


def test_the_proposal_lies_beside_the_agents_file(tmp_path: Path):
    """A proposal stands beside the user's file, and in ./agents for an agent that came with the project."""
    assert _beside(tmp_path / "mood.yaml") == tmp_path / "mood.tuned.yaml"
    assert _beside(tmp_path / "mood.tuned.yaml") == tmp_path / "mood.tuned.yaml"
    assert _beside(shipped_folder() / "sentiment.yaml") == Path("agents") / "sentiment.tuned.yaml"


def test_the_users_own_file_is_never_the_proposal(tiny: Path):
    """Naming the agent's own file by --out is refused before anything starts."""
    agent = _with_search(tiny, "own")
    with pytest.raises(ConfigError, match="the agent's own description, which stays"):
        tune_agent(str(agent), {}, agent)


def test_a_budget_from_the_command_line_has_the_fields_bounds(tiny: Path):
    """A wrong option is told as a wrong field is."""
    with pytest.raises(ConfigError, match="search_trials is 0: input should be greater than or equal to 1"):
        tune_agent(str(_with_search(tiny, "zero")), {"search_trials": 0}, None)
