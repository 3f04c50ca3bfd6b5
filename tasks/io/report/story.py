"""What a report tells, as records: agents, their rounds of training, and what happened in order.

Every field may be left out; the report then leaves out the picture. Made by flows, read by the report
and the console. It holds facts, not sentences about them (those are in `words.py`).
"""

from datetime import datetime
from typing import Literal

from pydantic import Field

from models.schemas.agent import AgentConfig
from models.schemas.base import Record
from models.schemas.made_rows import Augmented
from models.schemas.records import (
    DatasetSnapshot,
    DriftReport,
    EvaluationReport,
    GateReport,
    Move,
    PromotionDecision,
    TrainingReport,
)


class Link(Record):
    """A name and where it leads: a path, an MLflow run id, a version's address."""

    name: str
    target: str


class Step(Record):
    """One step of a flow: how long it took, and why its cache was hit or missed."""

    name: str
    seconds: float
    cache: Literal["hit", "miss", "none"] = "none"
    reason: str = ""
    state: Literal["done", "skipped", "failed"] = "done"


class Round(Record):
    """One pass through the loop for one agent.

    Args:
        flow: The flow that ran: train or retrain.
        version: The version that this round registered (or found again).
        snapshots: What was ingested; the newest window is last.
        training: Fine-tuning's report.
        evaluation: The new version's scores.
        champion_evaluation: The champion's scores on the same rows.
        drift: The drift check that came before.
        gate: The gate's verdict.
        decision: What happened to the champion alias.
        unusable: What training could not use, by reason.
        augmented: Training rows that were made of others.
        steps: The steps in order.
        links: MLflow run ids, model addresses, snapshot folders.
    """

    flow: str
    version: int | None = None
    snapshots: tuple[DatasetSnapshot, ...] = ()
    training: TrainingReport | None = None
    evaluation: EvaluationReport | None = None
    champion_evaluation: EvaluationReport | None = None
    drift: DriftReport | None = None
    gate: GateReport | None = None
    decision: PromotionDecision | None = None
    unusable: dict[str, int] = Field(default_factory=dict)
    augmented: Augmented | None = None
    steps: tuple[Step, ...] = ()
    links: tuple[Link, ...] = ()


class AgentStory(Record):
    """One agent: its description, its rounds (oldest first) and its ledger (oldest first)."""

    config: AgentConfig
    rounds: tuple[Round, ...] = ()
    moves: tuple[Move, ...] = ()

    @property
    def champion(self) -> int | None:
        """Tell which version the alias points to now, by the ledger and then by the last decision."""
        done = [m for m in self.moves if m.state == "done"]
        if done:
            return done[-1].to_version
        decisions = [r.decision for r in self.rounds if r.decision]
        return decisions[-1].champion if decisions else None


class Story(Record):
    """Everything that one report shows.

    Args:
        made_at: When the story was put together.
        agents: One story an agent.
        links: Where the records lie (home folder, MLflow and Prefect pages).
        title: The page's title.
    """

    made_at: datetime
    agents: tuple[AgentStory, ...] = ()
    links: tuple[Link, ...] = ()
    title: str = "Quickstudy"
