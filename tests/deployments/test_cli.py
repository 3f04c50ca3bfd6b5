import json
import os
import re
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from pyarrow import csv

from tasks.io.home import home_at
from tasks.io.ledger import decisions, history, open_ledger

pytestmark = pytest.mark.system

Command = Callable[..., subprocess.CompletedProcess[str]]
Trained = tuple[Path, str]
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()
GUIDE = (ROOT / "docs" / "agents.md").read_text()


def _record(home: Path) -> tuple[int, int, int]:
    """Count versions, moves and decisions."""
    ledger = open_ledger(home_at(home).ledger_url)
    with sqlite3.connect(home / "mlflow.db") as connection:
        query = "select count(*) from model_versions where name = 'tiny'"
        versions = connection.execute(query).fetchone()[0]
    return versions, len(history(ledger, "tiny")), len(decisions(ledger, "tiny"))


def test_training_makes_a_champion(trained: Trained):
    """`train` ends with one version, promoted by one move after one decision."""
    assert _record(trained[0]) == (1, 1, 1)


def test_foreign_settings_are_left_out_aloud(trained: Trained):
    """An ambient PREFECT_API_URL is not used, and the run says so."""
    assert "PREFECT_API_URL" in trained[1]


def test_training_again_changes_nothing(trained: Trained, tiny: Path, quickstudy: Command):
    """A second `train` finds everything done and says why at each step."""
    before = _record(trained[0])
    answer = quickstudy(trained[0], "train", str(tiny))
    assert "fine_tune 0.0 s (hit" in answer.stderr
    assert _record(trained[0]) == before


def test_a_changed_limit_keeps_the_version(trained: Trained, tiny: Path, quickstudy: Command):
    """A new gate rule asks the gate again about the same version, and trains nothing."""
    other = tiny.with_name("limited.yaml")
    other.write_text(tiny.read_text() + "max_latency_ms: 5000\ndescription: other words\n")
    answer = quickstudy(trained[0], "train", str(other))
    assert answer.returncode == 0, answer.stderr
    assert _record(trained[0])[:2] == (1, 1)


def test_a_missing_file_is_one_clear_error(trained: Trained, tiny: Path, quickstudy: Command):
    """A source that is not there ends in a paragraph that names it, without a traceback."""
    other = tiny.with_name("lost.yaml")
    other.write_text(tiny.read_text().replace("tweets.parquet", "lost.parquet"))
    answer = quickstudy(trained[0], "train", str(other))
    assert answer.returncode == 1
    assert "lost.parquet" in answer.stderr
    assert "Traceback" not in answer.stderr


def test_the_champion_answers(trained: Trained, quickstudy: Command):
    """`predict --json` gives one object a text with label and confidence."""
    answer = quickstudy(trained[0], "predict", "tiny", "I love it", "I hate it", "--json")
    lines = [json.loads(line) for line in answer.stdout.splitlines()]
    assert [line["text"] for line in lines] == ["I love it", "I hate it"]
    assert all(line["label"] in {"negative", "neutral", "positive"} for line in lines)


@pytest.fixture
def workplace(tmp_path: Path, trained: Trained) -> Path:
    """Lay a folder out as after `make run`: the environment and the state lie in it."""
    (tmp_path / ".venv").symlink_to(sys.prefix)
    (tmp_path / ".quickstudy").symlink_to(trained[0])
    return tmp_path


def _as_printed(workplace: Path, text: str) -> subprocess.CompletedProcess[str]:
    """Run the commands of a text in a shell that knows nothing but the system's own programs."""
    lines = re.findall(r"(?m)^    ((?:\. |quickstudy )[^|\n]+)$", text)
    assert lines[0] == ". .venv/bin/activate"
    own = {k: v for k, v in os.environ.items() if not k.startswith(("QUICKSTUDY_", "VIRTUAL_ENV"))}
    return subprocess.run(
        ["/bin/sh", "-ec", "\n".join(lines)],
        cwd=workplace,
        env=own | {"PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_the_readmes_commands_run(workplace: Path):
    """What the README tells to type after `make run` works as it stands, here for the tiny agent.

    What it tells of starts is run where there is one: see `tests/flows/test_meta_train.py`.
    """
    answer = _as_printed(workplace, README.partition("## A handful")[0].replace("sentiment", "tiny"))
    assert answer.returncode == 0, answer.stderr
    assert "what a great little camera" in answer.stdout


def test_the_readmes_python_runs(workplace: Path):
    """The README's Python finds the champion by MLflow alone, outside of the checkout."""
    code = re.findall(r"(?s)```python\n(.*?)```", README)[0].replace("sentiment", "tiny")
    python = [workplace / ".venv" / "bin" / "python", "-c", code]
    answer = subprocess.run(python, cwd=workplace, capture_output=True, text=True, check=True, timeout=120)
    assert re.search("negative|neutral|positive", answer.stdout)


def test_the_guides_commands_run(workplace: Path, tiny: Path):
    """What docs/agents.md tells to type makes a first agent of a CSV file and trains it."""
    rows = pq.read_table(tiny.parent / "tweets.parquet", columns=["text", "label"]).slice(0, 150)
    csv.write_csv(rows, workplace / "tickets.csv")
    answer = _as_printed(workplace, GUIDE)
    assert answer.returncode == 0, answer.stderr
    assert (workplace / "agents" / "support.yaml").is_file()
    assert re.search("support +train +v1", answer.stdout)


def test_status_names_the_champion(trained: Trained, quickstudy: Command):
    """`status` lists the agent with its champion."""
    assert "tiny" in quickstudy(trained[0], "status").stdout


def test_who_was_champion_has_an_answer(trained: Trained, quickstudy: Command):
    """`history --on` names the champion of a moment, and nobody before the first."""
    assert "Nobody" in quickstudy(trained[0], "history", "tiny", "--on", "2020-01-01").stdout
    assert "Version 1" in quickstudy(trained[0], "history", "tiny", "--on", "2100-01-01").stdout


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("train", "nobody"), "No agent 'nobody'"),
        (("rollback", "tiny"), "champion"),
        (("history", "nobody"), "knows no agent"),
        (("history", "tiny", "--on", "yesterday"), "is no date"),
        (("predict", "nobody", "text"), "no champion"),
        (("promote", "tiny", "99"), "no version 99"),
    ],
)
def test_errors_are_one_paragraph(trained: Trained, words: tuple[str, ...], says: str, quickstudy: Command):
    """A wrong command ends with status 1 and a paragraph that says what is wrong, never a traceback."""
    answer = quickstudy(trained[0], *words)
    assert answer.returncode == 1
    assert says in " ".join(answer.stderr.split())
    assert "Traceback" not in answer.stderr


def _pictures(home: Path) -> set[str]:
    """Name the pictures on the agent's page."""
    return set(re.findall(r'<figure class="(\w+)"', (home / "reports" / "tiny.html").read_text()))


def test_a_window_that_drifted_brings_a_challenger(trained: Trained, tiny: Path, quickstudy: Command):
    """`retrain` on reviews after tweets finds drift and makes a second version.

    Again, it changes nothing, and tells as much as before.
    """
    words = ("retrain", str(tiny), "--window", str(tiny.parent / "products.parquet"))
    first = quickstudy(trained[0], *words)
    assert first.returncode == 0, first.stderr
    before, pictures = _record(trained[0]), _pictures(trained[0])
    assert before[0] == 2
    assert {"metrics", "drift", "gate", "learning"} <= pictures
    assert quickstudy(trained[0], *words).returncode == 0
    assert _record(trained[0]) == before
    assert _pictures(trained[0]) == pictures


def test_status_sees_what_a_person_moved(trained: Trained, quickstudy: Command):
    """A version that lost the alias in MLflow is no champion for `status` either."""
    client = home_at(trained[0]).books().client
    champion = client.get_model_version_by_alias("tiny", "champion").version
    client.delete_registered_model_alias("tiny", "champion")
    before = quickstudy(trained[0], "status").stdout
    client.set_registered_model_alias("tiny", "champion", champion)
    after = quickstudy(trained[0], "status").stdout
    assert re.search(r"tiny +none", before)
    assert re.search(rf"tiny +v{champion}", after)
