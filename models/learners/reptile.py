"""Reptile: move the start towards what fine-tuning makes of it."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch.func import vjp, vmap

from models.learners.base import EpisodeBatch, MetaGradient, Network, Params, Shots, joined
from models.learners.gradient import HEAD, GradientLearner


@dataclass(frozen=True, kw_only=True)
class Reptile(GradientLearner):
    """Take start minus adapted weights as the gradient.

    Nichol, Achiam, Schulman, "On First-Order Meta-Learning Algorithms", 2018, arXiv:1803.02999: theta <-
    theta + epsilon mean_i (phi_i - theta), phi_i = U_k(theta) (algorithm 2). An episode has no two sides
    here: the inner steps see support and query.

    Departure: every inner step sees all of an episode's rows, where the paper takes a minibatch of them each
    time. A head that starts from zeros or from prototypes is not
    learned.
    """

    name: ClassVar[str] = "reptile"

    def meta_gradient(
        self, network: Network, params: Params, batch: EpisodeBatch, progress: float = 0.0
    ) -> MetaGradient:
        """Give the mean of theta - phi, and the loss that the last step leaves."""
        del progress

        def one(support: Shots, query: Shots) -> tuple[Params, torch.Tensor]:
            rows = joined(support, query)
            start, pull, *_ = vjp(lambda p: self.start(network, p, rows, batch.n_way), params)
            *_, fast = self.descend(network, params, start, rows)
            loss = self.inner_loss(network, params, fast, start, rows)
            carried = self.head in ("learned", "shared")
            moved = {
                name: w - fast[name] if carried or name not in HEAD else torch.zeros_like(w)
                for name, w in start.items()
            }
            return pull(moved)[0], loss

        gradients, losses = vmap(one)(batch.support, batch.query)
        mean = {name: g.mean(0).detach() for name, g in gradients.items()}
        return MetaGradient(mean, losses.mean().detach())
