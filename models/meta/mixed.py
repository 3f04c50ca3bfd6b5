"""Mixed precision: the encoder in bf16, everything from its features on in fp32.

Distances to prototypes and their derivatives are differences of large numbers, of which bf16 leaves nothing.
"""

import torch
from torch import Tensor

from models.learners import Inputs, Network, Params


class InBfloat16:
    """A network whose body runs in bf16; features, loss and all that is made of them are fp32.

    Args:
        network: What computes features; its weights stay fp32.
        device: `cpu` or `cuda`.
    """

    def __init__(self, network: Network, device: str) -> None:
        self._network, self._device = network, device

    @property
    def parameters(self) -> Params:
        """Give the weights of the network behind it."""
        return self._network.parameters

    @property
    def dim(self) -> int:
        """Give the size of a feature vector."""
        return self._network.dim

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim) in fp32."""
        with torch.autocast(self._device, torch.bfloat16):
            return self._network.features(params, inputs).float()

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Give the mean loss, as the network behind it does."""
        return self._network.loss(scores, targets)

    def members(self, targets: Tensor, n_way: int) -> Tensor:
        """Give each item's class, as the network behind it does."""
        return self._network.members(targets, n_way)
