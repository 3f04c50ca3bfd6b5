"""Mixed precision: the encoder in bf16, everything from its features on in fp32.

Distances to prototypes and their derivatives are differences of large numbers, of which bf16 leaves nothing.
"""

import torch
from torch import Tensor

from models.learners import Inputs, Network, Params
from models.learners.base import View


class InBfloat16(View):
    """A network whose body runs in bf16; features, loss and all that is made of them are fp32.

    Args:
        network: What computes features; its weights stay fp32.
        device: `cpu` or `cuda`.
    """

    def __init__(self, network: Network, device: str) -> None:
        super().__init__(network)
        self._device = device

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim) in fp32."""
        with torch.autocast(self._device, torch.bfloat16):
            return self._network.features(params, inputs).float()
