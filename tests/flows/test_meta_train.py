"""From sources to a start that agents stand on, in real runs on a home of their own."""

import json
import os
import shlex
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from benchmarks import faults
from benchmarks.tiny_agent import make_agent, make_start
from models.errors import ConfigError
from models.schemas.start import StartReport
from tasks.io.home import Home, home_at
from tasks.io.ledger import decisions, history
from tasks.io.start_version import comparable_with, read_start
from tasks.io.tracking import read_record
from tasks.io.versions import version_info, versions
from tests.models.tiny import store_tiny_encoder

pytestmark = pytest.mark.system

README = (Path(__file__).parents[2] / "README.md").read_text()


def _run(home: Path, *words: str, place: Path | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words],
        env=os.environ | {"QUICKSTUDY_HOME": str(home), "COLUMNS": "100"},
        cwd=place,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kill a meta-training after its first checkpoint, run it again, and train an agent from the start.

    Gives the folder with the home and both YAMLs.
    """
    folder = tmp_path_factory.mktemp("starts")
    home, command = folder / "home", ("meta-train", str(make_start(folder)))
    checkpoints = home / "trainings"
    killed = faults.kill_when(
        faults.start(command, home), lambda: any(checkpoints.glob("*/checkpoints/step-*"))
    )
    assert killed
    _run(home, *command)
    _run(folder / "home", "train", str(make_agent(folder / "agent", rows=300, epochs=1, start="little")))
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    """Give the home of both runs."""
    return home_at(folder / "home")


def test_a_start_becomes_a_version(home: Home):
    """One meta-training is one version, and the gate's verdict on it is in the ledger."""
    books = home.books()
    assert [v.version for v in versions(books, "start-little")] == [1]
    (decision,) = decisions(books.ledger, "start-little")
    assert [test.name for test in decision.report.baselines] == ["plain encoder"]


def test_a_killed_meta_training_goes_on_and_leaves_everything_whole(folder: Path, home: Home):
    """It began at its checkpoint, made one version, and nothing half-made is left."""
    run_id = version_info(home.books(), "start-little", 1).run_id or ""
    report = StartReport.model_validate_json(read_record(home.books(), run_id, "training.json"))
    assert report.resumed_from > 0
    assert not [path for path in home.root.rglob("*tmp*") if "prefect" not in path.parts]


def test_a_first_start_beats_the_plain_encoder(home: Home):
    """It is champion from the gate's hand."""
    (move,) = history(home.books().ledger, "start-little")
    assert (move.to_version, move.actor, move.state) == (1, "gate", "done")


def test_a_start_loads_as_any_model_of_mlflow(home: Home):
    """It gives one embedding a text."""
    folder = home.books().client.get_model_version_download_uri("start-little", "1")
    answers = mlflow.pyfunc.load_model(folder).predict(pd.DataFrame({"text": ["good", "bad"]}))
    assert [len(vector) for vector in answers["embedding"]] == [384, 384]


def test_prefect_shows_the_curve_and_the_episodes(home: Home):
    """The run's artifact has the pictures in it."""
    (database,) = (home.root / "prefect").glob("*.db")
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute("SELECT data FROM artifact WHERE key = 'start-little'").fetchall()
    told = "".join(str(row[0]) for row in rows)
    assert all(f"![{name}](data:image/svg+xml;base64," in told for name in ("learning", "episodes"))


def test_an_agent_says_which_start_it_stands_on(home: Home):
    """The version that `train` made names the start and its version."""
    tags = version_info(home.books(), "tiny", 1).tags
    assert (tags["quickstudy.start"], tags["quickstudy.start_version"]) == ("little", "1")


def test_a_champion_of_another_tokenizer_is_not_passed_over(home: Home, tmp_path: Path):
    """Before anything is trained: what can not be compared with it does not take its place."""
    store_tiny_encoder(tmp_path / "encoder")
    tokenizer = tmp_path / "encoder" / "tokenizer.json"
    changed = json.loads(tokenizer.read_text())
    words = changed["model"]["vocab"]
    words["good"], words["bad"] = words["bad"], words["good"]
    tokenizer.write_text(json.dumps(changed))
    config = read_start(home.books(), "start-little", 1).config
    other = config.model_copy(update={"encoder": str(tmp_path / "encoder")})
    assert comparable_with(config)(home.books(), config.agent, 1).version == 1
    with pytest.raises(ConfigError, match="its champion, reads texts by another tokenizer"):
        comparable_with(other)(home.books(), config.agent, 1)


def test_a_second_run_changes_nothing(folder: Path, home: Home):
    """The same meta-training is found done: no version, no move, no verdict."""
    _run(folder / "home", "meta-train", str(folder / "little.yaml"))
    books = home.books()
    counts = [len(found(books.ledger, "start-little")) for found in (history, decisions)]
    assert (len(versions(books, "start-little")), *counts) == (1, 1, 1)


def test_agents_of_an_older_start_are_listed_as_stale(folder: Path, home: Home):
    """When a new start is promoted, who stands on the old one is told, there and by `status`."""
    longer = str(make_start(folder, steps=16))
    _run(folder / "home", "meta-train", longer)
    (_, second) = decisions(home.books().ledger, "start-little")
    if second.report.verdict != "promote":
        _run(folder / "home", "promote", "start-little", "2")
    for command in (["status"], ["meta-train", longer]):
        told = " ".join(_run(folder / "home", *command).stdout.split())
        assert "tiny stands on version 1 of start little, whose champion is version 2 now" in told


def _readme_commands() -> list[list[str]]:
    """Give what the README tells to type of starts, without the program's name."""
    section = README.partition("## A handful of labels\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("    quickstudy ")]
    return [shlex.split(line, comments=True)[1:] for line in lines]


def test_the_readmes_handful_of_examples_makes_an_agent(folder: Path, home: Home):
    """What the README tells to type learns an agent, writes its description, and lets it begin to work."""
    (_, (_, agent, option, file), ask) = _readme_commands()
    rows = pd.read_parquet(folder / "editorials.parquet")
    rows.groupby("label").head(6)[["text", "label"]].to_csv(folder / file, index=False)
    answer = _run(folder / "home", "learn", agent, option, file, place=folder)
    (move,) = history(home.books().ledger, agent)
    assert (move.to_version, move.actor) == (1, "learn")
    assert "18 cross-validated examples" in " ".join(answer.stdout.split())
    assert "start: little" in (folder / "agents" / f"{agent}.yaml").read_text()
    assert "decision" in _run(folder / "home", *ask).stdout
