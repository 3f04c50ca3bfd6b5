"""Train one trial in a child process, and end it where its validation curve lags behind the others'."""

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from optuna import Study

from models.errors import TrainingError
from models.schemas import CurvePoint, TrainingReport
from models.schemas.trials import Trial, TrialReport, TrialState
from models.training.job import Heartbeat, TrainingProgress, TrainJob
from models.training.result import finished_report
from tasks.io.child import FINE_TUNE, train_within_memory
from tasks.io.file_lock import is_locked
from tasks.io.search.results import found_trial, open_trial

_POLL_SECONDS = 0.5


class _PrunedError(Exception):
    """Raised out of the watching of a child, which ends it."""


class _Watched:
    """A trial's curve as the study sees it.

    Args:
        study: The study.
        trial: The trial.
        last: Passes over the rows after which nothing is left to spare.
    """

    def __init__(self, study: Study, trial: Trial, last: int) -> None:
        self._told = open_trial(study, trial.number)
        self._known = set(found_trial(study, trial.number).intermediate_values)
        self._last = last
        self.curve: tuple[CurvePoint, ...] = ()
        self.seconds, self.resumed_from = 0.0, 0

    def heard(self, of: Heartbeat | TrainingReport) -> None:
        """Note how long the training took so far, and where its session began."""
        self.seconds, self.resumed_from = of.seconds, of.resumed_from

    def follow(self, curve: Sequence[CurvePoint]) -> None:
        """Report new evaluations one by one.

        Raises:
            _PrunedError: The pruner gives the trial up.
        """
        for place in range(len(self.curve), len(curve)):
            point = curve[place]
            self.curve = (*self.curve, point)
            step = place + 1  # evaluations follow passes over the rows, whose batches may differ by trial
            if step not in self._known:
                self._told.report(point.validation_score, step)
            if point.epoch < self._last and self._told.should_prune():
                raise _PrunedError


def train_trial(
    study: Study, trial: Trial, job: TrainJob, show: Callable[[TrainingProgress], None], threads: int | None
) -> TrialReport:
    """Train a trial, or go on where it was cut off.

    Whether it is pruned does not depend on how fast the child is: a training that ended before anybody
    looked is held to its curve all the same.

    Args:
        study: The study, with its pruner.
        trial: The trial.
        job: Its training.
        show: Called with each new heartbeat.
        threads: Threads of the child's arithmetic; none leaves them to torch.
    """
    while is_locked(job.folder):  # the same values in another search, or the child of a worker just killed
        time.sleep(_POLL_SECONDS)
    # A training that somebody else asked for stays when this search cleans up.
    own = finished_report(job) is None
    watched = _Watched(study, trial, job.config.epochs)

    def look(progress: TrainingProgress) -> None:
        watched.heard(progress.heartbeat)
        show(progress)
        watched.follow(progress.curve)

    extra = {} if threads is None else {"OMP_NUM_THREADS": str(threads)}
    program = replace(FINE_TUNE, environment=extra)
    state: TrialState
    try:
        report = train_within_memory(job, look, job.config.time_limit_seconds, program)
        watched.heard(report)
        watched.follow(report.curve)
    except _PrunedError:
        state, reason = "pruned", f"its curve lagged behind after evaluation {len(watched.curve)}"
    except TrainingError as error:
        state, reason = "failed", str(error)
    else:
        state, reason = "complete", ""
    return TrialReport(
        state=state,
        score=max((point.validation_score for point in watched.curve), default=None),
        curve=watched.curve,
        resumed_from=watched.resumed_from,
        seconds=watched.seconds,
        folder=job.out if own else "",
        reason=reason,
    )
