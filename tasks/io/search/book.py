"""A search in MLflow: a run for the whole, and below it a run for each trial, however often it is tried."""

import json
from typing import Literal

from models.schemas import AgentConfig
from models.schemas.search import Values
from models.schemas.trials import Search, Trial, TrialReport
from tasks.io.books import Books
from tasks.io.tracking import (
    finish_run,
    log_config,
    log_curve,
    log_metrics,
    open_run,
)

_PARENT = "mlflow.parentRunId"
_ENDED: dict[str, Literal["FINISHED", "KILLED", "FAILED"]] = {
    "complete": "FINISHED",
    "pruned": "KILLED",
    "failed": "FAILED",
}


def open_search_run(books: Books, config: AgentConfig, study: str) -> str:
    """Give the id of the search's run: the one that an earlier process began, or a new one."""
    tags = {"quickstudy.step": "tune", "quickstudy.search": study}
    run = open_run(books, config.name, study, tags, f"tune-{study}")
    log_config(books, run.run_id, config)
    return run.run_id


def open_trial_run(books: Books, search: Search, trial: Trial) -> str:
    """Give the id of a trial's run, below the search's, with the values that it tries."""
    own = f"{trial.study}/{trial.number}"
    tags = {_PARENT: search.run, "quickstudy.step": "trial", "quickstudy.search": trial.study}
    run = open_run(books, search.agent, own, tags, f"trial-{trial.number}")
    _log_values(books, run.run_id, trial.values)
    return run.run_id


def close_trial_run(books: Books, run_id: str, report: TrialReport) -> None:
    """Log a trial's curve, its score and how it ended."""
    log_curve(books, run_id, report.curve)
    figures = {"seconds_trained": report.seconds}
    if report.score is not None:
        figures["best_validation_score"] = report.score
    log_metrics(books, run_id, figures)
    books.client.set_tag(run_id, "trial_state", report.state)
    if report.reason:
        books.client.set_tag(run_id, "trial_reason", report.reason)
    finish_run(books, run_id, _ENDED[report.state])


def _log_values(books: Books, run_id: str, values: Values) -> None:
    from mlflow.entities import Param

    params = [
        Param(key, value if isinstance(value, str) else json.dumps(value)) for key, value in values.items()
    ]
    books.client.log_batch(run_id, params=params)
