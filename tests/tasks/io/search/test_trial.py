"""One trial's training, in a real child process."""

from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from optuna import Study

from models.preprocess import encode_snapshot
from models.schemas import EncodedDataset
from models.schemas.search import with_values
from models.schemas.trials import Search, Trial
from models.training.job import TrainingProgress, TrainJob
from tasks.io.digests import ref_to
from tasks.io.file_lock import is_locked
from tasks.io.home import Home
from tasks.io.search.results import finished
from tasks.io.search.study import open_study
from tasks.io.search.trial import train_trial
from tasks.io.training_job import training_job

pytestmark = pytest.mark.system

Make = Callable[..., Search]


def _job(home: Home, search: Search, trial: Trial) -> TrainJob:
    """Tokenize the rows, without those that are held out, and describe a trial's training."""
    config, folder = with_values(search.config, trial.values), home.encoded / "rows"
    counts = encode_snapshot(config, Path(search.snapshot.artifact.address) / "rows.parquet", folder)
    (folder / "test.arrow").unlink()
    encoded = EncodedDataset(
        artifact=ref_to(folder),
        snapshot=search.snapshot.artifact,
        windows=dict(counts.windows),
        tokens=dict(counts.tokens),
    )
    return training_job(config, search.snapshot, encoded)


def _ask(study: Study, search: Search) -> Trial:
    return Trial(study=search.study, number=study.ask().number, values={"learning_rate": 1e-2})


def _pretend_others(study: Study, passes: int) -> None:
    """Let five trials have had perfect curves."""
    for _ in range(5):
        trial = study.ask()
        for step in range(1, passes + 1):
            trial.report(1.0, step)
        study.tell(trial, 1.0)


def test_a_lagging_trial_is_ended_in_mid_training(home: Home, make_search: Make):
    """A trial below the others' curves is ended long before its last pass, and leaves no process behind."""
    search = make_search(epochs=1000, patience=1000, freeze="encoder")
    study = open_study(home.search_url, search.study, search.config)
    _pretend_others(study, 3)
    trial = _ask(study, search)
    job, seen = _job(home, search, trial), []
    report = train_trial(study, trial, job, seen.append, threads=1)
    assert (report.state, report.seconds > 0) == ("pruned", True)
    assert len(report.curve) < 500
    assert not is_locked(job.folder)
    children = [child.cmdline() for child in psutil.Process().children(recursive=True)]
    assert not any("models.training.child" in line for line in children)


def test_a_fast_trial_is_held_to_its_curve(home: Home, make_search: Make):
    """A training that had ended before anybody looked is pruned at the place where it lagged."""
    search = make_search(epochs=3, patience=3, freeze="encoder", learning_rate=1e-4)
    study = open_study(home.search_url, search.study, search.config)
    trial = _ask(study, search)
    job = _job(home, search, trial)
    first = train_trial(study, trial, job, _ignore, threads=1)
    _pretend_others(study, 3)
    second = train_trial(study, _ask(study, search), job, _ignore, threads=1)
    assert (first.state, len(first.curve)) == ("complete", 3)
    assert first.score == max(point.validation_score for point in first.curve)
    assert (second.state, len(second.curve)) == ("pruned", 1)
    assert second.folder == ""  # the training was there before, so it is nobody's to remove


def test_a_failed_training_is_a_failed_trial(home: Home, make_search: Make):
    """A trial that runs out of time is told as failed, with its reason, and the search goes on."""
    search = make_search(epochs=1000, patience=1000, time_limit_seconds=0.01)
    study = open_study(home.search_url, search.study, search.config)
    trial = _ask(study, search)
    report = train_trial(study, trial, _job(home, search, trial), _ignore, threads=None)
    assert report.state == "failed"
    assert "longer than its limit" in report.reason
    assert finished(study) == ()


def _ignore(progress: TrainingProgress) -> None:
    """Look at no progress."""
