"""Who tries what: a worker holds a trial by a lease, and takes over the one that a dead worker left.

Drawing a trial is one step under the study's own lease, so that the budget holds with any number of workers.
"""

import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from optuna.trial import FrozenTrial, TrialState
from optuna.trial import Trial as Draw
from sqlalchemy import Engine

from models.errors import TransientError
from models.schemas.trials import Search, Trial
from tasks.io.ledger import Lease, lease
from tasks.io.search.results import found_trial, open_trial, report_of
from tasks.io.search.space import can_draw, draw, present_values, space_of
from tasks.io.search.study import open_study

_POLL_SECONDS = 0.5


@dataclass(frozen=True)
class Claim:
    """A trial that this worker alone works on while `lease` is held."""

    trial: Trial
    lease: Lease


@contextmanager
def claimed(url: str, ledger: Engine, search: Search) -> Iterator[Claim | None]:
    """Hold the next trial for the block; None when the budget is spent and no trial is under way.

    While others work on the last trials this waits, and takes over what they leave.

    Args:
        url: SQLAlchemy URL of the searches.
        ledger: Where leases are.
        search: The search.
    """
    with ExitStack() as held:
        while True:
            with lease(ledger, f"search {search.study}"):
                claim, busy = _next(url, ledger, search, held)
            if claim or not busy:
                break
            time.sleep(_POLL_SECONDS)
        yield claim


def _next(url: str, ledger: Engine, search: Search, held: ExitStack) -> tuple[Claim | None, bool]:
    """Take over or draw a trial; otherwise say whether others are at work."""
    trials = open_study(url, search.study, search.config).get_trials(deepcopy=False)
    running = [one.number for one in trials if one.state == TrialState.RUNNING]
    for number in running:
        claim = _take_over(url, ledger, search, number, held)
        if claim:
            return claim, False
    if not _has_budget(search, trials):
        return None, bool(running)
    trial = _draw(url, search, trials)
    holding = _hold(ledger, search, trial.number, held)
    return (Claim(trial, holding) if holding else None), True


def _take_over(url: str, ledger: Engine, search: Search, number: int, held: ExitStack) -> Claim | None:
    """Take the trial of a dead worker; values that a kill kept it from drawing are drawn now."""
    with ExitStack() as mine:
        holding = _hold(ledger, search, number, mine)
        if holding is None:
            return None
        study = open_study(url, search.study, search.config, number)
        # Its worker may have ended it since the trials were listed.
        if found_trial(study, number).state != TrialState.RUNNING:
            return None
        held.push(mine.pop_all())
        return Claim(_as_trial(search, open_trial(study, number)), holding)


def _hold(ledger: Engine, search: Search, number: int, held: ExitStack) -> Lease | None:
    """Take a trial's lease; None if a live worker has it."""
    try:
        return held.enter_context(lease(ledger, f"trial {search.study}/{number}", wait_seconds=0))
    except TransientError:
        return None


def _has_budget(search: Search, trials: list[FrozenTrial]) -> bool:
    begun = sum(one.state != TrialState.WAITING for one in trials)
    limit = search.config.search_seconds
    spent = sum(report.seconds for one in trials if (report := report_of(one)))
    return begun < search.config.search_trials and (limit is None or spent < limit)


def _draw(url: str, search: Search, trials: list[FrozenTrial]) -> Trial:
    """Draw a new trial: the first is the description as it stands, where the ranges hold it."""
    waiting = [one.number for one in trials if one.state == TrialState.WAITING]
    study = open_study(url, search.study, search.config, min(waiting, default=len(trials)))
    space, present = space_of(search.config), present_values(search.config)
    if not trials and can_draw(space, present):
        study.enqueue_trial(present)
    return _as_trial(search, study.ask())


def _as_trial(search: Search, drawn: Draw) -> Trial:
    return Trial(study=search.study, number=drawn.number, values=draw(drawn, space_of(search.config)))
