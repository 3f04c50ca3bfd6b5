"""What a training step minimizes, given the network and a batch."""

from collections.abc import Callable
from typing import TypeAlias

from torch import Tensor

from models.adapters import TaskAdapter
from models.networks import Network
from models.training.batching import Batch

Objective: TypeAlias = Callable[[Network, Batch], Tensor]
"""Gives the mean loss of a batch over its targets, as a tensor without dimensions to differentiate."""


def plain(adapter: TaskAdapter) -> Objective:
    """Make the adapter's own loss of the network's scores."""

    def objective(network: Network, batch: Batch) -> Tensor:
        return adapter.loss(network(**batch.inputs(network.wants)), batch.labels)

    return objective
