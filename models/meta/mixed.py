"""Mixed precision: the encoder in bf16, everything from its features on in fp32.

Distances to prototypes and their derivatives are differences of large numbers, of which bf16 leaves nothing.
"""

import torch
from torch import Tensor

from models.kernels import Precision, in_bfloat16
from models.learners import Inputs, Learner, Network, Params
from models.learners.base import View
from models.meta.networks import Networks


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

    That formula has second derivatives and runs over many episodes' weights at once, and it is the faster one
    in bf16 on a CPU.

    Args:
        learner: One that adapts the body needs it.
        precision: What is asked for.
        device: `cpu` or `cuda`.
    """
    return learner.adapts_body or (device == "cpu" and in_bfloat16(precision, device))
