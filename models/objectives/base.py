"""What every training objective does; one subclass a file, listed in `models/objectives/__init__.py`.

An objective says what a step minimizes. Which parameters move, and how far, is the optimizer's.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

from torch import Tensor

from models.batching import Batch
from models.networks import Network
from models.schemas.objectives import ObjectiveName

TaskLoss: TypeAlias = Callable[[Tensor, Tensor], Tensor]
"""Gives the mean loss over a batch's targets from its scores and labels."""


@dataclass(frozen=True)
class Objective(ABC):
    """What a training step minimizes.

    Args:
        loss: The task's own loss, an adapter's.
    """

    name: ClassVar[ObjectiveName]
    loss: TaskLoss

    @abstractmethod
    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield losses of a batch, each a mean over its targets; their sum is what is minimized.

        The caller goes backward through each before it asks for the next: only one term's activations are
        in memory at a time, and an attack can read the gradient at its perturbation off a pass that the
        weights need anyway. Random numbers come from torch's global generators, which checkpoints keep.
        """


def scores_of(network: Network, batch: Batch) -> Tensor:
    """Score a batch."""
    scores: Tensor = network(**batch.inputs(network.wants))
    return scores
