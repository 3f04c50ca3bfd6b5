"""What a meta-training carries from step to step, and how it becomes a checkpoint and comes back."""

import inspect
from dataclasses import asdict, dataclass, field

import torch
from torch import Tensor

from models.errors import TrainingError
from models.learners import Params
from models.learners.gradient import HEAD
from models.meta.settings import MetaSettings
from models.schemas import CurvePoint
from models.training.checkpoint import Checkpoint
from models.training.optimizer import rate_factor

_SEPARATOR = "|"
_OWN_DECAY = ("weight_decay", "lambd")
"""What optimizers of torch call a decay of their own."""


@dataclass
class Position:
    """Where a meta-training is, in plain numbers.

    Args:
        step: Outer steps done.
        loss_sum: Sum of the losses since the last score.
        loss_count: How many losses that are.
        misses: Scores since the best one.
        best_step: Step of the best score.
        best_score: The best score on meta-validation.
        seconds: Time used by earlier sessions.
    """

    step: int = 0
    loss_sum: float = 0.0
    loss_count: int = 0
    misses: int = 0
    best_step: int = 0
    best_score: float = -1.0
    seconds: float = 0.0


@dataclass
class MetaState:
    """Everything that changes while a start is learned.

    Args:
        params: The meta-parameters; leaves that the optimizer writes to.
        body: Names of the encoder's weights; all others are the learner's own.
        settings: Rates and decay.
        position: Where it is.
        curve: Scores so far.
        best: The best meta-parameters so far.
    """

    params: Params
    body: frozenset[str]
    settings: MetaSettings
    position: Position = field(default_factory=Position)
    curve: list[CurvePoint] = field(default_factory=list)
    best: Params = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.params = {name: w.detach().clone() for name, w in self.params.items()}
        chosen = getattr(torch.optim, self.settings.optimizer)
        accepted = inspect.signature(chosen).parameters
        # Decay is done here, the same for every optimizer; some have one of their own by default.
        further: dict[str, float | bool] = {name: 0.0 for name in _OWN_DECAY if name in accepted}
        self.fused = "fused" in accepted
        if self.fused:
            further["fused"] = True
        by_rate: dict[float, list[Tensor]] = {}
        for name, weight in self.params.items():
            by_rate.setdefault(self._peak(name), []).append(weight)
        groups = [{"params": own, "lr": rate, "peak": rate} for rate, own in by_rate.items()]
        self.optimizer: torch.optim.Optimizer = chosen(groups, lr=self.settings.outer_lr, **further)

    def _peak(self, name: str) -> float:
        """Give the highest rate of a weight."""
        own = self.settings.learner_lr or self.settings.outer_lr
        return self.settings.outer_lr if name in self.body else own

    def _is_decayed(self, name: str) -> bool:
        """Tell whether weight decay is for these: scales and rates are no weights."""
        return name in self.body or name.rpartition(_SEPARATOR)[2] in HEAD

    @torch.no_grad()
    def step(self, gradients: Params) -> None:
        """Take one outer step: phi <- phi - eta grad - eta lambda phi, eta warmed up and then falling.

        Raises:
            TrainingError: A gradient is not a number; nothing has changed.
        """
        progress = (self.position.step + 0.5) / max(1, self.settings.steps)
        factor = rate_factor(progress, self.settings.warmup_share)
        for name, weight in self.params.items():
            gradient = gradients[name]
            # Fused steps read both in the order in which they lie in memory.
            laid_alike = gradient.stride() == weight.stride()
            weight.grad = gradient if laid_alike else torch.empty_like(weight).copy_(gradient)
        norm = torch.nn.utils.clip_grad_norm_(list(self.params.values()), self.settings.max_grad_norm)
        if not torch.isfinite(norm):
            raise TrainingError(
                f"The meta-gradient is {float(norm)} long at outer step {self.position.step}. Lower inner_lr "
                f"or outer_lr (now {self.settings.outer_lr:g}), or compute in precision: fp32."
            )
        for group in self.optimizer.param_groups:
            group["lr"] = group["peak"] * factor
        for name, weight in self.params.items() if self.settings.weight_decay else ():
            if self._is_decayed(name):
                weight.mul_(1.0 - self._peak(name) * factor * self.settings.weight_decay)
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.position.step += 1

    def keep_best(self) -> None:
        """Copy the meta-parameters as the best so far."""
        self.best = {name: w.detach().to("cpu", copy=True) for name, w in self.params.items()}

    def checkpoint(self, seconds: float) -> Checkpoint:
        """Describe the state; `seconds` have passed since the beginning, earlier sessions included."""
        names = {id(w): name for name, w in self.params.items()}
        moments = {
            f"{names[id(w)]}{_SEPARATOR}{key}": value
            for w, state in self.optimizer.state.items()
            for key, value in state.items()
            if isinstance(value, Tensor)
        }
        tensors = {"params": self.params, "optimizer": moments, "best": self.best}
        values = {**asdict(self.position), "seconds": seconds}
        curve = [point.model_dump(mode="json") for point in self.curve]
        return Checkpoint(self.position.step, tensors, {"position": values, "curve": curve})

    @torch.no_grad()
    def resume(self, checkpoint: Checkpoint) -> None:
        """Become the state that a checkpoint describes."""
        for name, weight in self.params.items():
            weight.copy_(checkpoint.tensors["params"][name])
        for full_name, value in checkpoint.tensors["optimizer"].items():
            name, key = full_name.rsplit(_SEPARATOR, 1)
            weight = self.params[name]
            # A fused optimizer counts its steps where the weights are, the others on the CPU.
            moved = value.to(weight.device) if value.ndim or self.fused else value
            self.optimizer.state[weight][key] = moved
        self.best = checkpoint.tensors["best"]
        self.position = Position(**checkpoint.values["position"])
        self.curve = [CurvePoint.model_validate(point) for point in checkpoint.values["curve"]]
