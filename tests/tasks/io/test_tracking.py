"""Runs in MLflow."""

import json
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest

from models.schemas import AgentConfig, CurvePoint, SourceConfig
from tasks.io.books import Books
from tasks.io.process_identity import ProcessId, this_process
from tasks.io.tracking import (
    OWNER_TAG,
    close_dead_runs,
    experiment_id,
    find_run,
    finish_run,
    log_config,
    log_curve,
    log_metrics,
    log_record,
    open_run,
    read_record,
)
from tasks.io.working import sweep

# MLflow 3.17.2 uses what SQLAlchemy 2.1 deprecates.
pytestmark = pytest.mark.filterwarnings("ignore:The ``noload`` loader strategy:DeprecationWarning")

CONFIG = AgentConfig(
    name="agent",
    adapter="text_classification",
    labels=("a", "b"),
    sources=(SourceConfig(address="x.csv"),),
    protected_slices={"domain=film": 0.01},
)
POINTS = [
    CurvePoint(step=s, epoch=s / 10, train_loss=1 / s, validation_score=0.5, seconds=s) for s in (1, 2, 3)
]


def test_a_training_has_one_run(books: Books):
    """A retried step goes on with the run of the first try."""
    first = open_run(books, "agent", "digest", {"try": "1"})
    second = open_run(books, "agent", "digest", {"try": "2"})
    assert first == second
    assert books.client.get_run(first.run_id).data.tags["try"] == "2"


def test_trainings_have_runs_of_their_own(books: Books):
    """Another digest is another run."""
    assert open_run(books, "agent", "a", {}).run_id != open_run(books, "agent", "b", {}).run_id


def test_what_is_logged_twice_is_stored_once(books: Books):
    """A step that logs everything again changes nothing."""
    run = open_run(books, "agent", "digest", {}).run_id
    for _ in range(2):
        log_config(books, run, CONFIG)
        log_curve(books, run, POINTS)
        log_metrics(books, run, {"accuracy": 0.9})
    assert [m.step for m in books.client.get_metric_history(run, "train_loss")] == [1, 2, 3]
    assert len(books.client.get_metric_history(run, "accuracy")) == 1


def test_a_config_is_flat_parameters(books: Books):
    """Each field is a parameter, nested ones by their path."""
    run = open_run(books, "agent", "digest", {}).run_id
    log_config(books, run, CONFIG)
    params = books.client.get_run(run).data.params
    assert params["epochs"] == "5"
    assert params["sources.0.address"] == "x.csv"
    assert params["protected_slices.domain_film"] == "0.01"
    assert json.loads(params["labels"]) == ["a", "b"]


def test_a_variable_in_an_address_is_logged_by_its_name(books: Books, monkeypatch: pytest.MonkeyPatch):
    """Neither the parameters nor the stored description hold what the environment does."""
    monkeypatch.setenv("BASE_PASSWORD", "s3cret")
    address = "postgresql://me:${BASE_PASSWORD}@host/base"
    run = open_run(books, "agent", "digest", {}).run_id
    log_config(books, run, CONFIG.model_copy(update={"sources": (SourceConfig(address=address),)}))
    assert books.client.get_run(run).data.params["sources.0.address"] == address
    assert "s3cret" not in read_record(books, run, "config.json")


def test_a_record_comes_back(books: Books):
    """What was stored as JSON is read as it was."""
    run = open_run(books, "agent", "digest", {}).run_id
    log_record(books, run, "config.json", CONFIG)
    assert AgentConfig.model_validate_json(read_record(books, run, "config.json")) == CONFIG


def test_a_finished_run_stays_finished(books: Books):
    """Opening it again does not set it going."""
    run = open_run(books, "agent", "digest", {}).run_id
    finish_run(books, run)
    open_run(books, "agent", "digest", {})
    found = find_run(books, "agent", "digest")
    assert found is not None
    assert found.info.status == "FINISHED"


def test_runs_of_dead_processes_are_closed(books: Books):
    """A run whose process is gone is marked as killed; one of a live process is not."""
    live, dead = open_run(books, "agent", "live", {}).run_id, open_run(books, "agent", "dead", {}).run_id
    gone = ProcessId(this_process().machine, this_process().pid, 0.0)
    books.client.set_tag(dead, OWNER_TAG, json.dumps(asdict(gone)))
    assert close_dead_runs(books, "agent") == (dead,)
    assert books.client.get_run(dead).info.status == "KILLED"
    assert books.client.get_run(live).info.status == "RUNNING"


def test_a_deleted_experiment_is_taken_back(books: Books):
    """An experiment in the trash does not stop a training."""
    place = experiment_id(books, "agent")
    books.client.delete_experiment(place)
    assert experiment_id(books, "agent") == place


def test_nothing_lies_in_the_working_folder(books: Books, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Artifacts go below the artifact root, whatever folder the process is in."""
    monkeypatch.chdir(tmp_path)
    run = open_run(books, "agent", "digest", {}).run_id
    log_record(books, run, "config.json", CONFIG)
    assert not (tmp_path / "mlruns").exists()
    assert books.client.get_run(run).info.artifact_uri.startswith(books.artifact_root)


@pytest.mark.system
def test_a_store_that_was_cut_off_in_the_making_leaves_nothing(tmp_path: Path):
    """Killed while MLflow's tables are made, the next run finds no half store and sweeps the rest away."""
    code = (
        "import os, signal\n"
        "from pathlib import Path\n"
        "from mlflow.store.tracking import sqlalchemy_store as store\n"
        "def die(*_): os.kill(os.getpid(), signal.SIGKILL)\n"
        "store.SqlAlchemyStore.__init__ = die\n"
        "from tasks.io.home import home_at\n"
        f"home_at(Path({str(tmp_path)!r})).books()\n"
    )
    ended = subprocess.run([sys.executable, "-c", code], check=False)
    assert ended.returncode == -signal.SIGKILL
    assert not (tmp_path / "mlflow.db").exists()
    sweep(tmp_path)
    assert not list(tmp_path.glob(".tmp-*"))
