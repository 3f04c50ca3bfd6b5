"""PGD: train where several projected steps along the gradient lead."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective
from models.objectives.neighbourhood import Neighbourhood
from models.objectives.passes import Passes
from models.schemas.objectives import ObjectiveName

STRIDE = 2.5
"""Length of all steps together, in radii, as in Madry et al.'s L2 attacks (sec. 5): from any start the
boundary can be reached."""


@dataclass(frozen=True)
class PGD(Objective):
    """Minimize the loss at the worst place found in a ball around the embeddings.

    Aleksander Madry et al., "Towards Deep Learning Models Resistant to Adversarial Attacks", 2018,
    arXiv:1706.06083, eq. 2.1: min_w E max_{|d| <= eps} L(w, x + d), the maximum by projected gradient ascent
    from a random start.

    Departures: embeddings, and not the input, are moved, in an L2 ball of relative size (see
    `Neighbourhood`); all passes of a batch have the same dropout masks.

    Args:
        perturbation: eps, in mean norms of an embedding.
        ascent_steps: Steps of the ascent, each a pass more.
    """

    name: ClassVar[ObjectiveName] = "pgd"
    perturbation: float = 0.3
    ascent_steps: int = 3

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield the loss at the end of the ascent."""
        around = Neighbourhood(network, batch, self.perturbation)
        delta = around.draw()
        passes = Passes(network, batch)
        for _ in range(self.ascent_steps):
            loss = self.loss(passes.scores(delta), batch.labels)
            (gradient,) = torch.autograd.grad(loss, delta)
            delta = around.climb(delta, gradient, STRIDE / self.ascent_steps)
        yield self.loss(passes.scores(delta.detach()), batch.labels)
