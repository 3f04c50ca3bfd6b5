"""TrainJob: what the child process is told, and where it puts what it made."""

import hashlib
import json
from pathlib import Path

from pydantic import Field

from models.schemas import AgentConfig, ArtifactRef, CurvePoint
from models.schemas.base import Record
from models.schemas.scope_fields import ScopeFields
from models.schemas.tuning_fields import TuningFields

MODEL, REPORT, ERROR = "model", "training.json", "error.json"
CHECKPOINTS, HEARTBEAT, PROGRESS, LOG, LOCK = (
    "checkpoints",
    "heartbeat.json",
    "progress.jsonl",
    "child.log",
    ".lock",
)

_SHAPING = (
    *("adapter", "labels", "encoder", "max_length", "stride", "instruction", "max_new_tokens"),
    *ScopeFields.model_fields,
    *TuningFields.model_fields,
)
"""The fields that change the weights; a longer time limit must not throw a half-done training away."""


class Job(Record):
    """What a child process is told.

    Args:
        out: Folder for everything that comes out; a job that was cut off goes on there.
        parts: Parts of a batch that go through the model one after the other, to spare memory; their
            gradients add up to the whole batch's.
    """

    out: str
    parts: int = Field(default=1, ge=1)

    @property
    def folder(self) -> Path:
        """Give `out` as a path."""
        return Path(self.out)

    @property
    def digest(self) -> str:
        """Give the sha256 of all that shapes the weights; addresses do not count."""
        raise NotImplementedError


class TrainJob(Job):
    """One fine-tuning.

    Args:
        config: The agent.
        encoded: Folder of windows, as `preprocess` made it.
        rows: The snapshot's rows.parquet; its validation rows are scored.
        start: Model folder to start from; none starts from the config's encoder.
        seed: Seed of every random choice; none takes the config's.
    """

    config: AgentConfig
    encoded: ArtifactRef
    rows: str
    start: ArtifactRef | None = None
    seed: int | None = Field(default=None, ge=0)

    @property
    def seeded_config(self) -> AgentConfig:
        """Give the config with the seed that counts."""
        return self.config if self.seed is None else self.config.model_copy(update={"seed": self.seed})

    @property
    def digest(self) -> str:
        """Give the sha256 of all that shapes the weights; addresses do not count."""
        config = self.seeded_config
        shaping = config.model_dump(mode="json", include={*_SHAPING, "seed"})
        content = [shaping, self.encoded.digest, self.start.digest if self.start else None]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


class Heartbeat(Record):
    """How far a training is; rewritten about every second.

    Args:
        step: Optimizer steps done.
        total_steps: Steps of all epochs, about.
        loss: Last known training loss; none before the first step.
        seconds: Time since the job began, earlier sessions included.
        tokens_per_second: Sub-words without padding, in this session.
        resumed_from: Step of the checkpoint that this session began at.
    """

    step: int
    total_steps: int
    loss: float | None
    seconds: float
    tokens_per_second: float
    resumed_from: int = 0


class TrainingProgress(Record):
    """A heartbeat and every evaluation up to it."""

    heartbeat: Heartbeat
    curve: tuple[CurvePoint, ...] = ()


def read_progress(out: Path) -> TrainingProgress | None:
    """Read how far the training in `out` is; None before its first heartbeat."""
    try:
        heartbeat = Heartbeat.model_validate_json((out / HEARTBEAT).read_bytes())
    except FileNotFoundError:
        return None
    lines = (out / PROGRESS).read_bytes().splitlines() if (out / PROGRESS).exists() else []
    return TrainingProgress(heartbeat=heartbeat, curve=tuple(map(CurvePoint.model_validate_json, lines)))
