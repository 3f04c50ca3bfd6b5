"""FreeLB: train at every place that the ascent passes through."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective
from models.objectives.neighbourhood import Neighbourhood
from models.objectives.passes import Passes
from models.objectives.pgd import STRIDE
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class FreeLB(Objective):
    """Minimize the mean loss over the steps of an ascent, whose gradients come free with the weights'.

    Chen Zhu et al., "FreeLB: Enhanced Adversarial Training for Natural Language Understanding", 2020,
    arXiv:1909.11764, Algorithm 1: g = 1/K sum_t grad L(w, x + d_t), with d_0 drawn at random and
    d_{t+1} = P(d_t + a * g_t / |g_t|); the dropout masks are the same in all steps (sec. 3.3).

    Departures: eps is relative (see `Neighbourhood`), and the step a = 2.5 eps / K follows from it.

    Args:
        perturbation: eps, in mean norms of an embedding.
        ascent_steps: K, the passes of a step.
    """

    name: ClassVar[ObjectiveName] = "freelb"
    perturbation: float = 0.3
    ascent_steps: int = 2

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield one K-th of the loss at each place; going backward through it gives the next place."""
        around = Neighbourhood(network, batch, self.perturbation)
        delta = around.draw()
        passes = Passes(network, batch)
        for step in range(self.ascent_steps):
            if step:
                delta = around.climb(delta, delta.grad, STRIDE / self.ascent_steps)
            yield self.loss(passes.scores(delta), batch.labels) / self.ascent_steps
