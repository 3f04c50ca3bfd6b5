"""FGM: one step along the gradient, beside the clean loss."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective
from models.objectives.neighbourhood import Neighbourhood
from models.objectives.passes import Passes
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class FGM(Objective):
    """Minimize the mean of the loss and of the loss where it rises fastest.

    Takeru Miyato, Andrew M. Dai and Ian Goodfellow, "Adversarial Training Methods for Semi-Supervised Text
    Classification", 2017, arXiv:1605.07725, eq. 5-6: r = eps * g / |g| with g the gradient of the loss by
    the window's embeddings.

    Departures: eps is relative (see `Neighbourhood`) in the place of normalized embeddings; both losses are
    halved, as in Goodfellow et al. 2015, arXiv:1412.6572, sec. 6, so that clipping acts as it does without;
    the perturbed pass has the clean one's dropout masks.

    Args:
        perturbation: eps, in mean norms of an embedding.
    """

    name: ClassVar[ObjectiveName] = "fgm"
    perturbation: float = 0.3

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield half the clean loss, whose gradient makes the perturbation, and half the perturbed one."""
        around, passes = Neighbourhood(network, batch, self.perturbation), Passes(network, batch)
        none = around.center()
        yield self.loss(passes.scores(none), batch.labels) / 2
        worst = around.climb(none, none.grad, 1.0).detach()
        yield self.loss(passes.scores(worst), batch.labels) / 2
