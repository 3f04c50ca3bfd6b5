"""From plain texts to a start that agents stand on, in real runs on a home of their own."""

import os
import subprocess
import sys
from pathlib import Path

import mlflow
import pandas as pd
import pytest

from benchmarks import faults
from benchmarks.tiny_agent import make_agent, make_pretraining
from models.errors import ConfigError
from models.pretrain.job import PretrainJob
from models.schemas.pretrain import PackedCorpus, PretrainConfig
from tasks.io.child import train_within_memory
from tasks.io.home import Home, home_at
from tasks.io.ledger import decisions, history
from tasks.io.start_version import comparable_with, read_start
from tasks.io.tracking import read_record
from tasks.io.versions import model_folder, version_info, versions
from tasks.pretrain_fit import PRETRAIN

pytestmark = pytest.mark.system

CHANGES = {"vocabulary": 500, "learning_rate": 1e-2, "epochs": 2}


def _run(home: Path, *words: str, fails: bool = False) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "deployments.cli", *words],
        env=os.environ | {"QUICKSTUDY_HOME": str(home), "COLUMNS": "100"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode != 0) == fails, done.stderr
    return " ".join((done.stdout + done.stderr).split())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Kill a pretraining after its first checkpoint, run it again, and train an agent on the start."""
    folder = tmp_path_factory.mktemp("pretrained")
    command = ("pretrain", str(make_pretraining(folder, **CHANGES)))
    checkpoints = folder / "home" / "trainings"
    killed = faults.kill_when(
        faults.start(command, folder / "home"), lambda: any(checkpoints.glob("*/checkpoints/step-*"))
    )
    assert killed
    _run(folder / "home", *command)
    _run(folder / "home", "train", str(make_agent(folder / "agent", rows=300, epochs=1, start="words")))
    return folder


@pytest.fixture(scope="module")
def home(folder: Path) -> Home:
    """Give the home of the run that was killed."""
    return home_at(folder / "home")


def test_a_killed_pretraining_ends_with_the_same_weights(home: Home, tmp_path: Path):
    """It began at its checkpoint, and its start is bit for bit that of a run that nobody disturbed."""
    books = home.books()
    found = read_start(books, "start-words", 1)
    packed = PackedCorpus.model_validate_json(read_record(books, found.run_id, "packed.json"))
    assert isinstance(found.config, PretrainConfig)
    job = PretrainJob(config=found.config, packed=packed.artifact, out=str(tmp_path / "undisturbed"))
    again = train_within_memory(job, lambda _: None, 300, PRETRAIN)
    assert (found.training.resumed_from > 0, again.resumed_from) == (True, 0)
    assert again.start.digest == found.start.digest


def test_one_pretraining_is_one_version_that_the_gate_has_judged(home: Home):
    """It had to beat how often words stand in the texts, which it was never shown the held-out ones of."""
    books = home.books()
    assert [v.version for v in versions(books, "start-words")] == [1]
    (decision,) = decisions(books.ledger, "start-words")
    assert [test.name for test in decision.report.baselines] == ["word frequencies"]
    (move,) = history(books.ledger, "start-words")
    assert (move.to_version, move.actor) == (1, "gate")


def test_a_second_run_changes_nothing(folder: Path, home: Home):
    """The same pretraining is found done."""
    told = _run(folder / "home", "pretrain", str(folder / "words.yaml"))
    assert "perplexity (95 %)" in told
    books = home.books()
    counts = [len(found(books.ledger, "start-words")) for found in (history, decisions)]
    assert (len(versions(books, "start-words")), *counts) == (1, 1, 1)


def test_it_loads_as_any_model_of_mlflow(home: Home):
    """It gives one embedding a text."""
    address = home.books().client.get_model_version_download_uri("start-words", "1")
    answers = mlflow.pyfunc.load_model(address).predict(pd.DataFrame({"text": ["good", "bad"]}))
    assert [len(vector) for vector in answers["embedding"]] == [32, 32]


def test_an_agent_stands_on_it(home: Home):
    """The version that `train` made names the start, and has its encoder's shape."""
    tags = version_info(home.books(), "tiny", 1).tags
    assert (tags["quickstudy.start"], tags["quickstudy.start_version"]) == ("words", "1")


def test_nothing_in_it_learns_from_a_handful(folder: Path):
    """`learn` needs a learner, and says what to do instead."""
    rows = pd.read_parquet(folder / "agent" / "tweets.parquet").groupby("label").head(4)
    rows[["text", "label"]].to_csv(folder / "few.csv", index=False)
    told = _run(
        folder / "home", "learn", str(folder / "agent" / "tiny.yaml"), "--examples", str(folder / "few.csv"),
        fails=True,
    )  # fmt: skip
    assert "was pretrained on plain texts, not meta-learned" in told


def test_only_like_is_compared_with_like(home: Home):
    """A start that learned by another objective does not take its place unseen."""
    found = read_start(home.books(), "start-words", 1)
    same = str(model_folder(home.books(), "start-words", 1) / "encoder")
    assert comparable_with(found.config, same)(home.books(), "start-words", 1).version == 1
    other = found.config.model_copy(update={"objective": "causal_lm"})
    with pytest.raises(ConfigError, match="learned by masked_lm: the two can not be compared"):
        comparable_with(other, same)(home.books(), "start-words", 1)


def test_a_renewed_start_is_compared_with_the_present_one(folder: Path, home: Home):
    """A second version is judged on the same texts beside the champion, paired."""
    longer = str(make_pretraining(folder, **CHANGES | {"seed": 1}))
    _run(folder / "home", "pretrain", longer)
    (_, second) = decisions(home.books().ledger, "start-words")
    assert second.champion == 1
    assert second.report.superiority is not None
    assert second.report.superiority.name == "champion"
