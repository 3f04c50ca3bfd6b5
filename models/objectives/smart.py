"""SMART: the clean loss, and a price on answers that change nearby."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective
from models.objectives.divergence import log_probabilities, symmetric_divergence
from models.objectives.neighbourhood import Neighbourhood
from models.objectives.passes import Passes
from models.objectives.pgd import STRIDE
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class SMART(Objective):
    """Minimize the loss plus the largest change of the answer in a ball around the embeddings.

    Haoming Jiang et al., "SMART: Robust and Efficient Fine-Tuning for Pre-trained Natural Language Models
    through Principled Regularized Optimization", 2020, arXiv:1911.03437, sec. 3.1: L + lambda R with
    R = mean max_{|d|_p <= eps} l(f(x + d), f(x)), l(P, Q) = KL(P || Q) + KL(Q || P).

    Departures: p = 2, and eps is relative (see `Neighbourhood`); the ascent begins anywhere in the ball and
    has steps of a fixed length; both passes have the same dropout masks, so R is 0 where nothing is moved.
    The Bregman proximal point step (sec. 3.2) is left out, as its moving copy of the weights would double
    each checkpoint: `start_decay` holds weights near where they began instead.

    Args:
        perturbation: eps, in mean norms of an embedding.
        ascent_steps: Steps of the ascent, each a pass more.
        consistency: lambda.
    """

    name: ClassVar[ObjectiveName] = "smart"
    perturbation: float = 0.3
    ascent_steps: int = 1
    consistency: float = 1.0

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield the clean loss with the price of the worst change."""
        around = Neighbourhood(network, batch, self.perturbation)
        delta = around.draw()
        passes = Passes(network, batch)
        scores = passes.scores()
        clean = log_probabilities(scores)
        for _ in range(self.ascent_steps):
            moved = log_probabilities(passes.scores(delta))
            change = symmetric_divergence(clean.detach(), moved, batch.labels)
            (gradient,) = torch.autograd.grad(change, delta)
            delta = around.climb(delta, gradient, STRIDE / self.ascent_steps)
        worst = log_probabilities(passes.scores(delta.detach()))
        smoothness = symmetric_divergence(clean, worst, batch.labels)
        yield self.loss(scores, batch.labels) + self.consistency * smoothness
