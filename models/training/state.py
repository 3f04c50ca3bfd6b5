"""What a training carries from step to step, and how it becomes a checkpoint and comes back.

Writing to the disk is in `checkpoint.py`.
"""

from dataclasses import asdict, dataclass, field
from typing import Generic, TypeVar

import torch
from torch import Tensor, nn
from torch.optim import AdamW

from models.schemas import CurvePoint
from models.training.checkpoint import Checkpoint

M = TypeVar("M", bound=nn.Module)
_SEPARATOR = "|"


@dataclass
class Position:
    """Where a training is, in plain numbers.

    Args:
        step: Optimizer steps done.
        epoch: Current epoch, from 0.
        batch: Batches of the epoch that are done.
        loss_sum: Sum of the losses since the last evaluation.
        loss_count: How many losses that are.
        embedding_factor: What weight decay made of an untouched row of the embedding table.
        seconds: Time used by earlier sessions.
        misses: Evaluations since the best one.
        best_step: Step of the best evaluation, 0 before the first.
        best_score: Its score.
        best_factor: The embedding factor then.
    """

    step: int = 0
    epoch: int = 0
    batch: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    embedding_factor: float = 1.0
    seconds: float = 0.0
    misses: int = 0
    best_step: int = 0
    best_score: float = -1.0
    best_factor: float = 1.0


@dataclass
class TrainingState(Generic[M]):
    """Everything that changes while a model trains.

    Args:
        model: The model.
        optimizer: Its optimizer.
        position: Where it is.
        curve: Evaluations so far.
        best: The best weights so far, on the CPU; empty before the first evaluation.
    """

    model: M
    optimizer: AdamW
    position: Position = field(default_factory=Position)
    curve: list[CurvePoint] = field(default_factory=list)
    best: dict[str, Tensor] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # Taken before a layer is frozen for an epoch; what is frozen by now, as a tuned model's base, stays.
        self._changing = {name: p for name, p in self.model.named_parameters() if p.requires_grad}

    def keep_best(self) -> None:
        """Copy the weights as the best so far."""
        self.best = {name: value.detach().to("cpu", copy=True) for name, value in self._changing.items()}

    def take_best(self) -> None:
        """Put the best weights into the model."""
        with torch.no_grad():
            for name, parameter in self._changing.items():
                parameter.copy_(self.best[name])

    def checkpoint(self, seconds: float) -> Checkpoint:
        """Describe the state; `seconds` have passed since the job began, earlier sessions included."""
        tensors: dict[str, dict[str, Tensor]] = {
            "model": dict(self._changing),
            "optimizer": self._moments(),
            "random": _random_states(),
            "best": self.best,
        }
        values = {**asdict(self.position), "seconds": seconds}
        curve = [point.model_dump(mode="json") for point in self.curve]
        return Checkpoint(self.position.step, tensors, {"position": values, "curve": curve})

    def resume(self, checkpoint: Checkpoint) -> None:
        """Become the state that a checkpoint describes, random numbers included."""
        tensors = checkpoint.tensors
        with torch.no_grad():
            for name, parameter in self._changing.items():
                parameter.copy_(tensors["model"][name])
        self._set_moments(tensors["optimizer"])
        self.best = tensors["best"]
        self.position = Position(**checkpoint.values["position"])
        self.curve = [CurvePoint.model_validate(point) for point in checkpoint.values["curve"]]
        torch.set_rng_state(tensors["random"]["cpu"])
        if "cuda" in tensors["random"]:
            torch.cuda.set_rng_state(tensors["random"]["cuda"])

    def _moments(self) -> dict[str, Tensor]:
        return {
            f"{name}{_SEPARATOR}{key}": value
            for name, parameter in self._changing.items()
            for key, value in self.optimizer.state.get(parameter, {}).items()
        }

    def _set_moments(self, moments: dict[str, Tensor]) -> None:
        for full_name, value in moments.items():
            name, key = full_name.rsplit(_SEPARATOR, 1)
            self.optimizer.state[self._changing[name]][key] = value.to(self._changing[name].device)


def _random_states() -> dict[str, Tensor]:
    states = {"cpu": torch.get_rng_state()}
    if torch.cuda.is_available():
        states["cuda"] = torch.cuda.get_rng_state()
    return states
