"""A search whose process is killed in mid-training, from one process to the next."""

import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from models.preprocess import encode_snapshot
from models.schemas import EncodedDataset
from models.schemas.trials import Search
from tasks.io.digests import ref_to
from tasks.io.home import Home
from tasks.io.search.results import finished
from tasks.io.search.study import open_study

pytestmark = pytest.mark.system

WORKER = """
import sys
from models.schemas import EncodedDataset
from models.schemas.search import with_values
from models.schemas.trials import Search
from tasks.io.home import current_home
from tasks.io.search.claims import claimed
from tasks.io.search.coordinator import conclude, take_up
from tasks.io.search.study import open_study
from tasks.io.search.trial import train_trial
from tasks.io.training_job import training_job
search, encoded = Search.model_validate_json(sys.argv[1]), EncodedDataset.model_validate_json(sys.argv[2])
home = current_home()
while True:
    with claimed(home.search_url, home.books().ledger, search) as claim:
        if claim is None:
            break
        job = training_job(with_values(search.config, claim.trial.values), search.snapshot, encoded)
        study = open_study(home.search_url, search.study, search.config)
        report = take_up(home, search, claim) or train_trial(study, claim.trial, job, lambda _: None, 1)
        conclude(home, search, claim, report)
"""


@pytest.fixture
def begun(home: Home, make_search: Callable[..., Search]) -> Callable[[Search], list[str]]:
    """Give a function that makes the command of a worker."""

    def command(search: Search) -> list[str]:
        folder = home.encoded / "rows"
        rows = Path(search.snapshot.artifact.address) / "rows.parquet"
        encode_snapshot(search.config, rows, folder)
        encoded = EncodedDataset(
            artifact=ref_to(folder), snapshot=search.snapshot.artifact, windows={}, tokens={}
        )
        return [sys.executable, "-c", WORKER, search.model_dump_json(), encoded.model_dump_json()]

    return command


def _until_the_second_has_a_checkpoint(home: Home, worker: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 300
    while len(list(home.trainings.iterdir())) < 2 or not _checkpoints(home):
        assert worker.poll() is None, "the worker ended before it could be killed"
        assert time.monotonic() < deadline, "no second training in time"
        time.sleep(0.05)


def _checkpoints(home: Home) -> list[Path]:
    return [path for path in home.trainings.glob("*/checkpoints/step-*") if not _ended(path.parents[1])]


def _ended(folder: Path) -> bool:
    return (folder / "training.json").exists()


def _trainings_left(home: Home) -> int:
    """Count the processes that train in this home."""
    lines = (process.info["cmdline"] or [] for process in psutil.process_iter(["cmdline"]))
    return sum("models.training.child" in line and str(home.root) in line[-1] for line in lines)


def test_a_killed_search_goes_on_at_its_checkpoint(
    home: Home, make_search: Callable[..., Search], begun: Callable[[Search], list[str]]
):
    """The next process takes the trial in hand over, goes on at its checkpoint, and counts none twice."""
    search = make_search(
        epochs=40,
        patience=40,
        checkpoint_steps=5,
        search={"learning_rate": {"low": 1e-4, "high": 1e-2, "log": True}},
        search_trials=2,
    )
    command = begun(search)
    worker = subprocess.Popen(command)
    try:
        _until_the_second_has_a_checkpoint(home, worker)
        drawn = [one.params for one in open_study(home.search_url, search.study, search.config).trials]
    finally:
        worker.kill()
        worker.wait()
    subprocess.run(command, check=True, timeout=300)
    trials = finished(open_study(home.search_url, search.study, search.config))
    assert [one.report.state for one in trials] == ["complete", "complete"]
    assert [one.trial.values for one in trials] == drawn
    assert trials[1].report.resumed_from > 0
    assert len(list(home.trainings.iterdir())) == 2
    assert _trainings_left(home) == 0
    runs = home.books().client.search_runs(
        [home.books().client.get_run(search.run).info.experiment_id], "tags.`quickstudy.step` = 'trial'"
    )
    assert sorted(json.loads(run.data.params["learning_rate"]) for run in runs) == sorted(
        one["learning_rate"] for one in drawn
    )
