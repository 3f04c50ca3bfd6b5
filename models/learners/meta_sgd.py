"""Meta-SGD with MAML++'s rates and losses: how far each layer steps, and when, is learned too."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.learners.base import Episode, Network, Params
from models.learners.gradient import HEAD, GradientLearner

_RATE = "rate."
_LEAST_SHARE = 0.03
"""Of a step's even share: what steps before the last one keep of it (the value of the authors' code)."""


@dataclass(frozen=True, kw_only=True)
class MetaSGD(GradientLearner):
    """Learn the start and a rate for each weight tensor and inner step, through losses after every step.

    Li, Zhou, Chen, Li, "Meta-SGD: Learning to Learn Quickly for Few-Shot Learning", 2017, arXiv:1707.09835:
    phi = theta - alpha o grad L(theta) (eq. 2), alpha learned. Antoniou, Edwards, Storkey, "How to train your
    MAML", 2019, arXiv:1810.09502: one rate a layer and step instead of one an entry (LSLR, sec. 4), and the
    outer loss sum_s v_s L_query(phi_s) (MSL, eq. 4), whose weights move to the last step.

    Args:
        inner_lr: Where the rates start.
        annealed: Share of meta-training after which the last step's loss counts nearly alone (fraction, 0-1).
    """

    name: ClassVar[str] = "meta_sgd"

    annealed: float = 0.5

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
        losses = [
            network.loss(self.scores(network, params, fast, query.inputs), query.targets)
            for fast in self.descend(network, params, start, support)
        ]
        weights = self.importance(progress)
        return sum((w * loss for w, loss in zip(weights, losses, strict=True)), torch.zeros(()))

    def importance(self, progress: float) -> tuple[float, ...]:
        """Give the weight of each step's loss; they add up to 1."""
        share = 1 / self.inner_steps
        left = max(0.0, 1 - progress / self.annealed) if self.annealed > 0 else 0.0
        early = share * max(_LEAST_SHARE, left)
        return (*[early] * (self.inner_steps - 1), 1 - early * (self.inner_steps - 1))
