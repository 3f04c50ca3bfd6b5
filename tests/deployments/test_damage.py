"""What a person does about a champion whose stored files were damaged, from one command to the next."""

import sqlite3
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tasks.io.home import home_at
from tasks.io.ledger import decisions, history, open_ledger

pytestmark = pytest.mark.system

Command = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def damaged(tmp_path_factory: pytest.TempPathFactory, tiny: Path, quickstudy: Command) -> Path:
    """Train the tiny agent and flip a bit in the stored weights of its only version; give the home."""
    home = tmp_path_factory.mktemp("damaged")
    answer = quickstudy(home, "train", str(tiny))
    assert answer.returncode == 0, answer.stderr
    (weights,) = (home / "mlartifacts").rglob("*.safetensors")
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.unlink()  # the training's own file may be the same one
    weights.write_bytes(content)
    return home


def _record(home: Path) -> tuple[list[tuple[int | None, int | None]], int, int]:
    """Give the champion's moves, and how many decisions and versions there are."""
    ledger = open_ledger(home_at(home).ledger_url)
    with sqlite3.connect(home / "mlflow.db") as connection:
        versions = connection.execute("select count(*) from model_versions").fetchone()[0]
    moves = [(move.from_version, move.to_version) for move in history(ledger, "tiny")]
    return moves, len(decisions(ledger, "tiny")), versions


def test_nobody_gets_answers_from_damaged_weights(damaged: Path, quickstudy: Command):
    """`predict` says what is wrong and what to do."""
    answer = quickstudy(damaged, "predict", "tiny", "a fine film")
    assert answer.returncode == 1
    assert "`quickstudy train tiny`" in answer.stderr.replace("\n", " ")


def test_a_retraining_names_the_way_out(damaged: Path, tiny: Path, quickstudy: Command):
    """`retrain`, which goes on from the champion, asks for a training."""
    answer = quickstudy(damaged, "retrain", str(tiny))
    assert answer.returncode == 1
    assert "Run `quickstudy train tiny`" in answer.stderr.replace("\n", " ")


def test_a_training_makes_a_new_version_and_ends_there(damaged: Path, tiny: Path, quickstudy: Command):
    """`train` registers the same training anew and promotes it; the next `train` changes nothing."""
    first = quickstudy(damaged, "train", str(tiny))
    assert first.returncode == 0, first.stderr
    made = _record(damaged)
    assert made == ([(None, 1), (1, 2)], 2, 2)
    assert quickstudy(damaged, "predict", "tiny", "a fine film").returncode == 0
    assert quickstudy(damaged, "train", str(tiny)).returncode == 0
    assert _record(damaged) == made
