"""A search around its trials: what is recorded, kept and proposed."""

from collections.abc import Callable
from pathlib import Path

import pytest

from models.errors import LedgerError, TrainingError
from models.schemas.trials import Search, Trial, TrialReport
from tasks.io.home import Home
from tasks.io.ledger import Lease
from tasks.io.search.claims import Claim, claimed
from tasks.io.search.coordinator import conclude, take_up, tell
from tasks.io.search.filing import file_search
from tasks.io.search.results import finished
from tasks.io.search.study import open_study
from tests.tasks.io.search.conftest import pretend

Make = Callable[..., Search]
Report = Callable[[Trial], TrialReport]


def _run(home: Home, search: Search, report: Report = pretend) -> None:
    """Go through a search without training."""
    while True:
        with claimed(home.search_url, home.books().ledger, search) as claim:
            if claim is None:
                return
            conclude(home, search, claim, take_up(home, search, claim) or report(claim.trial))


def test_the_best_of_a_search_is_proposed(home: Home, make_search: Make):
    """The proposal has the best trial's values, all other fields as they were, and can be searched again."""
    search = make_search(search_trials=4)
    _run(home, search)
    told = tell(home, search, search.config)
    best = max(told.trials, key=lambda one: one.report.score or 0)
    assert told.best == best.trial.number
    assert told.proposed == search.config.model_copy(update=best.trial.values)


def test_nothing_is_proposed_where_nothing_is_better(home: Home, make_search: Make):
    """The description as it stands wins ties, and is not proposed to itself."""
    search = make_search(search_trials=3)
    _run(home, search, lambda trial: TrialReport(state="complete", score=0.5))
    told = tell(home, search, search.config)
    assert (told.best, told.proposed) == (0, None)


def test_a_pruned_score_is_never_the_best(home: Home, make_search: Make):
    """A trial that was ended early is not proposed, however good its curve was."""
    search = make_search(search_trials=3)

    def report(trial: Trial) -> TrialReport:
        state = "complete" if trial.number == 1 else "pruned"
        return TrialReport(state=state, score=0.5 if state == "complete" else 0.9)

    _run(home, search, report)
    assert tell(home, search, search.config).best == 1


def test_the_same_values_are_not_trained_twice(home: Home, make_search: Make):
    """Where few choices are left, a repeated one is answered by the trial that had it, at no cost."""
    search = make_search(search={"freeze": ["none", "encoder"]}, search_trials=4)
    trained: list[object] = []

    def report(trial: Trial) -> TrialReport:
        trained.append(trial.values["freeze"])
        return TrialReport(state="complete", score=0.5, seconds=10.0)

    _run(home, search, report)
    told = tell(home, search, search.config)
    assert sorted(map(str, trained)) == ["encoder", "none"]
    assert (len(told.trials), told.seconds) == (4, 20.0)
    assert sum("whose report this is" in one.report.reason for one in told.trials) == 2


def test_values_that_do_not_go_together_fail_alone(home: Home, make_search: Make):
    """Ends that hold one by one may exclude each other; such a trial fails untrained, with the reason."""
    space = {"max_length": {"low": 16, "high": 32}, "stride": {"low": 2, "high": 29}}
    search = make_search(search=space, search_trials=4, stride=8)
    _run(home, search, lambda trial: TrialReport(state="complete", score=0.5))
    failed = [one for one in tell(home, search, search.config).trials if one.report.state == "failed"]
    assert failed
    assert all("must be below max_length" in one.report.reason for one in failed)


def test_a_search_whose_first_trials_all_fail_ends(home: Home, make_search: Make):
    """Three failures and no score end the search with the last reason."""
    search = make_search(search_trials=9)
    with pytest.raises(TrainingError, match="first 3 trials all failed, the last because: no memory"):
        _run(home, search, lambda trial: TrialReport(state="failed", reason="no memory"))


def test_only_the_best_weights_are_kept(home: Home, make_search: Make):
    """Weights and checkpoints of a trial go as soon as another one is better; its log stays."""
    search = make_search(search_trials=3)

    def report(trial: Trial) -> TrialReport:
        folder = home.trainings / str(trial.number)
        for name in ("model", "checkpoints"):
            Path(folder, name).mkdir(parents=True)
        for name in ("child.log", "training.json"):
            (folder / name).touch()
        score = [0.5, 0.7, 0.6][trial.number]
        return TrialReport(state="complete", score=score, folder=str(folder))

    _run(home, search, report)
    left = {n: sorted(path.name for path in (home.trainings / str(n)).iterdir()) for n in range(3)}
    assert left[0] == left[2] == ["child.log"]
    assert left[1] == ["checkpoints", "child.log", "model", "training.json"]


def test_a_lost_trial_is_not_recorded(home: Home, make_search: Make):
    """A worker that was silent for too long records nothing of the trial that another one took over."""
    search = make_search()
    books = home.books()
    with claimed(home.search_url, books.ledger, search) as claim:
        assert claim is not None
        lost = Claim(claim.trial, Lease(books.ledger, claim.lease.name, "another"))
        with pytest.raises(LedgerError, match="taken over by another process"):
            conclude(home, search, lost, pretend(claim.trial))
    assert finished(open_study(home.search_url, search.study, search.config)) == ()


def test_mlflow_shows_a_run_for_each_trial_below_the_searchs(home: Home, make_search: Make):
    """Trials are nested runs with their values, scores and states; the search's run holds what came of it."""
    search = make_search(search_trials=3)

    def report(trial: Trial) -> TrialReport:
        return TrialReport(state="pruned" if trial.number == 2 else "complete", score=trial.number / 10)

    _run(home, search, report)
    client = home.books().client
    file_search(home.books(), tell(home, search, search.config))
    runs = client.search_runs(
        [client.get_run(search.run).info.experiment_id], f"tags.`mlflow.parentRunId` = '{search.run}'"
    )
    found = {run.info.run_name: run for run in runs}
    assert sorted(found) == ["trial-0", "trial-1", "trial-2"]
    assert found["trial-0"].data.params == {"learning_rate": "0.0001", "freeze": "none", "epochs": "4"}
    assert (found["trial-0"].info.status, found["trial-2"].info.status) == ("FINISHED", "KILLED")
    assert found["trial-2"].data.tags["trial_state"] == "pruned"
    names = {file.path for file in client.list_artifacts(search.run)}
    assert {"config.json", "search.json", "proposed.yaml", "report"} <= names
    assert client.get_run(search.run).info.status == "FINISHED"
