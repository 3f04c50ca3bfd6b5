"""R-Drop: two passes under dropout, and a price on their disagreement."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective, scores_of
from models.objectives.divergence import log_probabilities, symmetric_divergence
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class RDrop(Objective):
    """Minimize the loss, and the divergence between two passes with dropout masks of their own.

    Xiaobo Liang et al., "R-Drop: Regularized Dropout for Neural Networks", 2021, arXiv:2106.14448, eq. 1-4:
    L_NLL + alpha L_KL, L_KL = (KL(P1 || P2) + KL(P2 || P1)) / 2.

    Departures: L_NLL is the mean of both passes and not their sum, as in the authors' code, so that clipping
    acts as it does without; the batch goes through twice, where they double it.

    Args:
        consistency: alpha.
    """

    name: ClassVar[ObjectiveName] = "r_drop"
    consistency: float = 1.0

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield the mean loss of both passes with the price of their disagreement."""
        scores = [scores_of(network, batch) for _ in range(2)]
        loss = (self.loss(scores[0], batch.labels) + self.loss(scores[1], batch.labels)) / 2
        first, second = map(log_probabilities, scores)
        yield loss + self.consistency * symmetric_divergence(first, second, batch.labels) / 2
