"""The fields that say when, where and for how long an agent's steps run."""

from pydantic import Field

from models.schemas.base import Description


class RunFields(Description):
    """When, where and for how long it runs.

    Args:
        checkpoint_steps: Optimizer steps between two checkpoints.
        time_limit_seconds: Fine-tuning is ended after this time.
        seed: Seed of every random choice.
        work_pool: Prefect work pool for heavy steps; none runs them in this process.
        drift_alpha: Significance level of the drift check.
        drift_sample_rows: Most rows of each window that the drift check embeds.
        schedule: Cron expression for retraining; none means by hand.
    """

    checkpoint_steps: int = Field(default=200, ge=1)
    time_limit_seconds: float = Field(default=3600, gt=0)
    seed: int = Field(default=0, ge=0)
    work_pool: str | None = None
    drift_alpha: float = Field(default=0.01, gt=0, lt=0.5)
    drift_sample_rows: int = Field(default=1000, ge=20)
    schedule: str | None = None
