"""The task's loss and nothing else."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective, scores_of
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class Plain(Objective):
    """Minimize the task's loss."""

    name: ClassVar[ObjectiveName] = "plain"

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield the loss of one pass."""
        yield self.loss(scores_of(network, batch), batch.labels)
