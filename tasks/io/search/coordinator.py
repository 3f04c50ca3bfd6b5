"""The steps of a search around its trials: begin it, conclude a trial, tell what came of it all."""

import logging
import shutil
from pathlib import Path

from pydantic import ValidationError

from models.adapters import get_adapter
from models.errors import ConfigError, TrainingError
from models.schemas import AgentConfig, DatasetSnapshot
from models.schemas.search import Values, with_values
from models.schemas.trials import Search, SearchReport, TrialReport, Tried, best_of
from models.training.job import CHECKPOINTS, MODEL, REPORT
from tasks.io.file_lock import is_locked
from tasks.io.home import Home
from tasks.io.ledger import lease
from tasks.io.search.book import close_trial_run, open_search_run, open_trial_run
from tasks.io.search.claims import Claim
from tasks.io.search.results import finished, keep, repeated
from tasks.io.search.space import present_values
from tasks.io.search.study import make_study, open_study, study_key, study_name
from tasks.io.step_keys import KeyHistory

logger = logging.getLogger(__name__)

_FAILURES_AT_FIRST = 3


def begin(home: Home, config: AgentConfig, snapshot: DatasetSnapshot) -> Search:
    """Open the search of these ranges on these rows, new or where it was left.

    Raises:
        ConfigError: The description has nothing to search.
    """
    if not config.search:
        raise ConfigError(
            f"Agent {config.name!r} says nothing of a search. Add the ranges to its description, say:\n"
            "search:\n  learning_rate: {low: 1.0e-5, high: 1.0e-3, log: true}\n  freeze: [none, gradual]"
        )
    books, key = home.books(), study_key(config, snapshot)
    name = study_name(config, key)
    with lease(books.ledger, "search tables"):
        make_study(home.search_url, name)
    done = len(finished(open_study(home.search_url, name, config)))
    history = KeyHistory(home.cache / "keys")
    why = f"goes on after {done} trials" if done else f"begins ({history.explain(config.name, key)})"
    history.remember(config.name, key)
    logger.info("%s: search %s %s", config.name, name, why)
    run = open_search_run(books, config, name)
    return Search(study=name, config=config, snapshot=snapshot, run=run)


def take_up(home: Home, search: Search, claim: Claim) -> TrialReport | None:
    """Show a trial in MLflow, and answer for it where no training is needed.

    An earlier trial had the same values, or they do not go together: ranges are checked one by one.
    """
    open_trial_run(home.books(), search, claim.trial)
    try:
        with_values(search.config, claim.trial.values)
    except ValidationError as error:
        said = error.errors()[0]["msg"].removeprefix("Value error, ")
        return TrialReport(state="failed", reason=f"these values do not go together: {said}")
    return repeated(open_study(home.search_url, search.study, search.config), claim.trial)


def conclude(home: Home, search: Search, claim: Claim, report: TrialReport) -> Tried:
    """Record what a trial came to, and remove the weights that nobody will ask for.

    Raises:
        TrainingError: None of the first trials gave a score.
        LedgerError: Another worker took the trial over.
    """
    claim.lease.check()
    books, study = home.books(), open_study(home.search_url, search.study, search.config)
    close_trial_run(books, open_trial_run(books, search, claim.trial), report)
    keep(study, claim.trial, report)
    trials = finished(study)
    _sweep(trials)
    best = best_of(trials)
    said = f"{report.score:.4f}" if report.score is not None else report.reason
    lead = f"best {best.report.score:.4f} by trial {best.trial.number}" if best else "no score yet"
    logger.info("%s: trial %d %s, %s; %s", search.agent, claim.trial.number, report.state, said, lead)
    if len(trials) == _FAILURES_AT_FIRST and all(one.report.state == "failed" for one in trials):
        raise TrainingError(f"The first {len(trials)} trials all failed, the last because: {report.reason}")
    return Tried(trial=claim.trial, report=report)


def tell(home: Home, search: Search, config: AgentConfig) -> SearchReport:
    """Tell what a search came to, and propose the best trial's values.

    Args:
        home: The state.
        search: The search, its agent standing on a start where it names one.
        config: The agent as it was written.
    """
    trials = finished(open_study(home.search_url, search.study, search.config))
    best, present = best_of(trials), present_values(config)
    found = best.trial.values if best else present
    return SearchReport(
        search=search,
        metric=get_adapter(config).primary_metric,
        trials=trials,
        best=best.trial.number if best else None,
        present=present,
        proposed=None if found == present else proposed(config, found),
    )


def proposed(config: AgentConfig, values: Values) -> AgentConfig:
    """Give an agent with other values, ready to be searched again."""
    return with_values(config, values).model_copy(update={"search": config.search})


def _sweep(trials: tuple[Tried, ...]) -> None:
    """Remove weights and checkpoints of trials that are not the best; logs and curves stay."""
    best = best_of(trials)
    kept = {best.report.folder} if best else set()
    for folder in {one.report.folder for one in trials} - kept - {""}:
        if not is_locked(Path(folder)):
            shutil.rmtree(Path(folder, CHECKPOINTS), ignore_errors=True)
            # The report goes with the model: it says that the model is there.
            Path(folder, REPORT).unlink(missing_ok=True)
            shutil.rmtree(Path(folder, MODEL), ignore_errors=True)
