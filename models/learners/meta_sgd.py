"""Meta-SGD with MAML++'s rates and losses: how far each layer steps, and when, is learned too."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.errors import ConfigError
from models.learners.base import Episode, Network, Params
from models.learners.gradient import HEAD, GradientLearner

_RATE = "rate."
_LEAST_SHARE = 0.03
"""Of a step's even share: what early steps keep of it while the weights move (the authors' code)."""


@dataclass(frozen=True, kw_only=True)
class MetaSGD(GradientLearner):
    """Learn the start and a rate for each weight tensor and inner step, through losses after every step.

    Li, Zhou, Chen, Li, "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning", 2017, arXiv:1707.09835:
    phi = theta - alpha o grad L(theta) (eq. 2), alpha learned. Antoniou, Edwards, Storkey, "How to train your
    MAML", 2019, arXiv:1810.09502: one rate a layer and step instead of one an entry (LSLR, sec. 4), and the
    outer loss sum_s v_s L_query(phi_s) (MSL, eq. 4), whose weights move to the last step.

    Args:
        inner_lr: Where the rates start.
        annealed: Share of meta-training after which the last step's loss alone counts (fraction, 0-1).
    """

    name: ClassVar[str] = "meta_sgd"

    annealed: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 <= self.annealed <= 1:
            raise ConfigError(f"annealed is {self.annealed}; it must be from 0 to 1.")

    def begin(self, network: Network) -> Params:
        """Give the start and the rates, (inner_steps,) for each tensor that adapts."""
        params = super().begin(network)
        kind = next(iter(params.values()))
        adapting = (*network.parameters, *HEAD)
        return params | {
            f"{_RATE}{name}": torch.full(
                (self.inner_steps,), self.inner_lr, dtype=kind.dtype, device=kind.device
            )
            for name in adapting
        }

    def rate(self, params: Params, name: str, step: int) -> Tensor:
        """Give the learned rate; steps beyond the last learned one use that one."""
        rates = params[f"{_RATE}{name}"]
        return rates[min(step, len(rates) - 1)]

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the weighted sum of the query's losses after each inner step."""
        support, query, n_way = episode
        start = self.start(network, params, support, n_way)
        total = torch.zeros((), device=query.targets.device)
        path = self.descend(network, params, start, support)
        for weight, fast in zip(self.importance(progress), path, strict=True):
            if weight:
                scores = self.scores(network, params, fast, query.inputs)
                total = total + weight * network.loss(scores, query.targets)
        return total

    def importance(self, progress: float) -> tuple[float, ...]:
        """Give the weight of each step's loss; they add up to 1."""
        if progress >= self.annealed:
            return (*[0.0] * (self.inner_steps - 1), 1.0)
        early = max(_LEAST_SHARE, 1 - progress / self.annealed) / self.inner_steps
        return (*[early] * (self.inner_steps - 1), 1 - early * (self.inner_steps - 1))
