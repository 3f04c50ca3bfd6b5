"""The fields that say how an agent is fine-tuned; whatever is added here trains anew when it changes."""

from typing import Literal

from pydantic import Field

from models.schemas.base import Description
from models.schemas.objectives import ObjectiveName

Freeze = Literal["none", "encoder", "all_but_top", "gradual"]


class TrainingFields(Description):
    """How fine-tuning goes; each field changes the weights that come out.

    Args:
        unit_features: Scale features to length 1 before the head, as heads for few labels do.
        epochs: Most passes over the training rows.
        tokens_per_batch: Sub-words in a batch, padding included.
        learning_rate: Peak rate of the encoder.
        head_learning_rate: Peak rate of the head.
        weight_decay: AdamW's decoupled decay.
        warmup_share: Share of the steps with a rising rate (fraction, 0-1).
        max_grad_norm: Gradients are clipped to this norm.
        objective: What is minimized: the loss (`plain`); the loss where its gradient leads among nearby
            embeddings (`fgm`, `pgd`, `freelb`); the loss and a price on answers that change nearby (`smart`)
            or between dropout masks (`r_drop`); the loss of mixtures of two texts (`mixup`).
        perturbation: How far embeddings are moved, in mean norms of one; by default 0.3.
        ascent_steps: Steps that look for the worst place; by default 3 for pgd, 2 for freelb, 1 for smart.
        consistency: Weight of the price that smart and r_drop put on changed answers; by default 1.
        mixup_alpha: Small values mix little, 1 mixes in any proportion alike; by default 0.4.
        label_smoothing: Share of the truth's weight that is spread over all outputs (fraction, 0-1).
        dropout: Share dropped at random in training (fraction, 0-1); by default what the encoder says.
        start_decay: Decay of the encoder towards the weights it began with, in the place of weight_decay.
        patience: Evaluations without a better validation score before training stops.
        freeze: Which layers stay as they are; `gradual` thaws one more layer an epoch.
        top_layers: Layers that train under `all_but_top`.
        precision: `auto` is bf16 on a GPU and fp32 elsewhere.
        compiled: Compile the model first (torch.compile), which takes a minute or more; for GPUs.
    """

    unit_features: bool = False
    epochs: int = Field(default=5, ge=1, le=1000)
    tokens_per_batch: int = Field(default=1024, ge=16)
    learning_rate: float = Field(default=1e-4, gt=0, le=1)
    head_learning_rate: float = Field(default=1e-3, gt=0, le=1)
    weight_decay: float = Field(default=0.01, ge=0, le=1)
    warmup_share: float = Field(default=0.1, ge=0, lt=1)
    max_grad_norm: float = Field(default=1.0, gt=0)
    objective: ObjectiveName = "plain"
    perturbation: float | None = Field(default=None, gt=0, le=10)
    ascent_steps: int | None = Field(default=None, ge=1, le=20)
    consistency: float | None = Field(default=None, gt=0, le=100)
    mixup_alpha: float | None = Field(default=None, gt=0, le=10)
    label_smoothing: float = Field(default=0.0, ge=0, lt=1)
    dropout: float | None = Field(default=None, ge=0, lt=1)
    start_decay: float | None = Field(default=None, gt=0)
    patience: int = Field(default=2, ge=1)
    freeze: Freeze = "none"
    top_layers: int = Field(default=2, ge=1)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    compiled: bool = False
