"""MetaSettings: the numbers of a meta-training, whatever it is trained on."""

from typing import TYPE_CHECKING

import torch
from pydantic import Field, field_validator

from models.kernels import Precision
from models.schemas.base import Record

if TYPE_CHECKING:
    from models.schemas.start import StartConfig


class MetaSettings(Record):
    """The outer loop: phi <- phi - eta grad L_meta - eta lambda phi.

    Args:
        meta_batch_size: Episodes of an outer step.
        steps: Most outer steps.
        outer_lr: Peak rate eta of the outer steps.
        learner_lr: The same for what a learner learns beside the encoder: a head's start, a scale, inner
            rates; none is outer_lr, at which they hardly move.
        optimizer: A class of torch.optim that gets the gradients.
        weight_decay: lambda; apart from the optimizer's own state, and for the encoder's weights and a
            head's start alone.
        warmup_share: Share of the steps with a rising rate (fraction, 0-1); it falls to 0 after.
        max_grad_norm: Meta-gradients are clipped to this norm.
        evaluate_steps: Outer steps between two scores on meta-validation.
        validation_episodes: Episodes of each such score, the same ones every time.
        patience: Scores without a better one before meta-training stops.
        checkpoint_steps: Outer steps between two checkpoints.
        precision: `auto` is bf16 on GPUs and CPUs that multiply it faster, fp32 elsewhere.
        compiled: Compile the meta-gradient first (torch.compile), which takes minutes; for GPUs.
        parts: Parts of a meta-batch that run one after the other, to spare memory.
        seed: Seed of the episodes.
    """

    meta_batch_size: int = Field(default=4, ge=1)
    steps: int = Field(default=400, ge=0)
    outer_lr: float = Field(default=2e-5, gt=0)
    learner_lr: float | None = Field(default=None, gt=0)
    optimizer: str = "AdamW"
    weight_decay: float = Field(default=0.0, ge=0, le=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    evaluate_steps: int = Field(default=50, ge=1)
    validation_episodes: int = Field(default=200, ge=1)
    patience: int = Field(default=4, ge=1)
    checkpoint_steps: int = Field(default=50, ge=1)
    precision: Precision = "auto"
    compiled: bool = False
    parts: int = Field(default=1, ge=1)
    seed: int = Field(default=0, ge=0)

    @field_validator("optimizer")
    @classmethod
    def _is_an_optimizer(cls, name: str) -> str:
        found = getattr(torch.optim, name, None)
        if not (isinstance(found, type) and issubclass(found, torch.optim.Optimizer)):
            raise ValueError(f"{name!r} is no class of torch.optim; write AdamW, SGD or another one")
        weight = torch.zeros(2)
        weight.grad = torch.ones(2)
        try:
            found([weight], lr=0.1).step()  # type: ignore[call-arg]  # the base class takes none
        except (TypeError, RuntimeError, ValueError, NotImplementedError) as error:
            raise ValueError(
                f"torch.optim.{name} does not step from gradients alone; write AdamW, SGD or another one"
            ) from error
        return name


def settings_of(config: "StartConfig") -> MetaSettings:
    """Take the outer loop's numbers from a start's description."""
    named = config.model_dump(include=set(MetaSettings.model_fields))
    return MetaSettings.model_validate(named)
