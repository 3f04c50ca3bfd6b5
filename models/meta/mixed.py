"""Mixed precision: the encoder in bf16, everything from its features on in fp32.

Distances to prototypes and their derivatives are differences of large numbers, of which bf16 leaves nothing.
"""

from typing import Literal

import torch
from torch import Tensor

from models.kernels import in_bfloat16
from models.learners import Inputs, Learner, Network, Params
from models.learners.base import View
from models.meta.networks import Networks

Precision = Literal["auto", "fp32", "bf16"]


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


def in_precision(networks: Networks, precision: Precision, device: str) -> Networks:
    """Compute features in bf16 where that is asked for; weights and their updates stay in fp32.

    Args:
        networks: What computes features, by task type.
        precision: What is asked for; see `models.kernels.in_bfloat16`.
        device: `cpu` or `cuda`.
    """
    if not in_bfloat16(precision, device):
        return networks
    return {kind: InBfloat16(network, device) for kind, network in networks.items()}


def attends_plainly(learner: Learner, precision: Precision, device: str) -> bool:
    """Tell whether a meta-training attends by the plain formula and not by the fused kernels.

    It has second derivatives and runs over many episodes' weights at once, and is the faster one in bf16 on a
    CPU.
    """
    return learner.adapts_body or (device == "cpu" and in_bfloat16(precision, device))
