"""The records of a search: what is to be tried, what a trial came to, and the whole of it."""

from typing import Literal

from pydantic import Field

from models.schemas.agent import AgentConfig
from models.schemas.base import Record
from models.schemas.records import CurvePoint, DatasetSnapshot
from models.schemas.search import Values

TrialState = Literal["complete", "pruned", "failed"]


class Search(Record):
    """A search under way.

    Args:
        study: Its name in the SQL storage: the agent's, and a digest of all that its scores stand on.
        config: The agent, with the ranges and the budget.
        snapshot: The rows; those held out for evaluation are never read.
        run: Id of its MLflow run, the parent of the trials' runs.
    """

    study: str
    config: AgentConfig
    snapshot: DatasetSnapshot
    run: str

    @property
    def agent(self) -> str:
        """Give the agent's name."""
        return self.config.name


class Trial(Record):
    """What is to be tried: a value for each searched field; trials count from 0."""

    study: str
    number: int
    values: Values


class TrialReport(Record):
    """What a trial came to.

    Args:
        state: `pruned` was ended early, because its curve lagged behind; `failed` gave no score.
        score: Best validation score of the curve; none where there is no curve.
        curve: The evaluations on validation rows.
        resumed_from: Step of the checkpoint that the last session began at.
        seconds: Seconds of training; 0 where an earlier trial with the same values answered for it.
        folder: Where it was trained; empty where it was not.
        reason: Why it was pruned or failed, or which trial answered for it.
    """

    state: TrialState
    score: float | None = None
    curve: tuple[CurvePoint, ...] = ()
    resumed_from: int = 0
    seconds: float = 0.0
    folder: str = ""
    reason: str = ""


class Tried(Record):
    """A finished trial with its report."""

    trial: Trial
    report: TrialReport


class SearchReport(Record):
    """What a search came to.

    Args:
        search: What was searched, and where.
        metric: The score's name.
        trials: Every finished trial, by number.
        best: Number of the complete trial with the best score, the first of equals; none if all failed.
        present: The searched fields as the agent's description has them.
        proposed: The agent with the best trial's values; none where they are the present ones.
    """

    search: Search
    metric: str
    trials: tuple[Tried, ...] = Field(default=())
    best: int | None = None
    present: Values
    proposed: AgentConfig | None = None

    @property
    def winner(self) -> Tried | None:
        """Give the best trial."""
        return next((one for one in self.trials if one.trial.number == self.best), None)

    @property
    def as_written(self) -> Tried | None:
        """Give the trial of the description as it stands, if there is one."""
        return next((one for one in self.trials if one.trial.values == self.present), None)

    @property
    def seconds(self) -> float:
        """Give the seconds of training, all trials together."""
        return sum(one.report.seconds for one in self.trials)


def best_of(trials: tuple[Tried, ...]) -> Tried | None:
    """Give the complete trial with the best score; of equals, the first."""
    complete = [one for one in trials if one.report.state == "complete" and one.report.score is not None]
    return max(complete, key=lambda one: (one.report.score or 0.0, -one.trial.number), default=None)
