"""What gc removes, and what it never does."""

import fcntl
import os
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from models.schemas import ArtifactRef, GateReport
from models.training.job import LOCK
from tasks.io.books import Books
from tasks.io.gc import Retention, find_garbage, remove
from tasks.io.ledger import Decision, record_decision
from tasks.io.tracking import log_record, open_run

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")
DIGEST, OTHER = "ab" * 32, "cd" * 32


def make(folder: Path, days: float, size: int = 10) -> Path:
    """Make a folder with a file, both last changed `days` ago."""
    folder.mkdir(parents=True)
    (folder / "file").write_bytes(b"x" * size)
    age(folder, days)
    return folder


def age(folder: Path, days: float) -> None:
    """Date a folder and all in it back."""
    then = time.time() - days * 86_400
    for path in (*folder.rglob("*"), folder):
        os.utime(path, (then, then))


def found(books: Books, root: Path) -> list[str]:
    """List the names of what may go."""
    return [item.path.name for item in find_garbage(books, root, Retention())]


def test_old_things_that_nobody_names_go(books: Books, tmp_path: Path):
    """They are listed with their size, and removing gives it back."""
    old = make(tmp_path / "trainings" / DIGEST, days=40, size=1000)
    garbage = find_garbage(books, tmp_path, Retention())
    assert [(item.path, item.kind, item.size) for item in garbage] == [(old, "trainings", 1000)]
    assert old.exists()
    assert remove(books, garbage) == 1000
    assert not old.exists()


def test_young_things_stay(books: Books, tmp_path: Path):
    """One file that changed lately keeps its folder."""
    folder = make(tmp_path / "trainings" / DIGEST, days=40)
    (folder / "heartbeat.json").write_text("{}")
    assert found(books, tmp_path) == []


def test_a_snapshot_that_a_verdict_names_stays(books: Books, tmp_path: Path):
    """What the ledger names is kept, however old."""
    make(tmp_path / "snapshots" / DIGEST, days=4000)
    make(tmp_path / "snapshots" / OTHER, days=4000)
    report = GateReport(verdict="keep", reason="", rows=1)
    record_decision(
        books.ledger, Decision("k", "agent", 1, None, DIGEST, report), np.array([1], dtype=np.uint64)
    )
    assert found(books, tmp_path) == [OTHER]


def test_what_a_version_stands_on_stays(books: Books, tmp_path: Path, add_version: Callable[..., int]):
    """A training whose model a version's run names by address is kept."""
    make(tmp_path / "trainings" / DIGEST / "model", days=4000)
    age(tmp_path / "trainings" / DIGEST, 4000)
    make(tmp_path / "trainings" / OTHER, days=4000)
    run = open_run(books, "agent", "t", {}).run_id
    log_record(
        books,
        run,
        "model.json",
        ArtifactRef(address=str(tmp_path / "trainings" / DIGEST / "model"), digest="x"),
    )
    books.client.create_registered_model("agent")
    books.client.create_model_version("agent", str(tmp_path), run_id=run)
    assert found(books, tmp_path) == [OTHER]


def test_a_running_training_stays(books: Books, tmp_path: Path):
    """A folder whose lock is held is left alone, even one listed before the training began."""
    folder = make(tmp_path / "trainings" / DIGEST, days=40)
    (folder / LOCK).touch()
    age(folder, 40)
    garbage = find_garbage(books, tmp_path, Retention())
    assert len(garbage) == 1
    with (folder / LOCK).open("rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert found(books, tmp_path) == []
        assert remove(books, garbage) == 0
    assert folder.exists()


def test_leavings_of_killed_processes_go_soon(books: Books, tmp_path: Path):
    """What was being built goes after a day, wherever it was built."""
    make(books.scratch / "tmp-register-x", days=2)
    make(tmp_path / "snapshots" / ".tmp-y", days=2)
    make(tmp_path / "snapshots" / OTHER, days=2)
    assert sorted(found(books, tmp_path)) == [".tmp-y", "tmp-register-x"]
