"""Decay towards the weights that a training began with, in the place of decay towards nothing."""

import torch
from torch import Tensor, nn

from models.networks import Network
from models.schemas import AgentConfig


class StartDecay:
    """Pull parameters back to where they are when this is made.

    Xuhong Li, Yves Grandvalet and Franck Davoine, "Explicit Inductive Bias for Transfer Learning with
    Convolutional Networks", 2018, arXiv:1802.01483, eq. 2 (L2-SP): the penalty a/2 |w - w0|^2, whose gradient
    is a (w - w0). The head decays to nothing as ever, which is their b.

    Departure: the pull is decoupled from AdamW's gradient, w <- w - rate * a (w - w0), for the reason that
    AdamW's own decay is (Loshchilov and Hutter 2019, arXiv:1711.05101): Adam would scale it by each weight's
    gradients. For plain gradient descent both are the same.

    Args:
        parameters: Pretrained ones; a copy of each is kept.
        strength: a, per unit of the learning rate.
    """

    def __init__(self, parameters: list[nn.Parameter], strength: float) -> None:
        self._parameters, self._strength = parameters, strength
        self._starts: list[Tensor] = [one.detach().clone() for one in parameters]

    @torch.no_grad()
    def pull(self, rate: float) -> None:
        """Move those parameters that train by one step of the learning rate `rate`."""
        pairs = [
            (one, start)
            for one, start in zip(self._parameters, self._starts, strict=True)
            if one.requires_grad
        ]
        if pairs:
            moving, starts = map(list, zip(*pairs, strict=True))
            torch._foreach_lerp_(moving, starts, rate * self._strength)


def start_decay(network: Network, config: AgentConfig) -> StartDecay | None:
    """Hold a network's pretrained weights near where they are now, if the agent's description asks for it."""
    if config.start_decay is None:
        return None
    return StartDecay(list(network.pretrained.parameters()), config.start_decay)
