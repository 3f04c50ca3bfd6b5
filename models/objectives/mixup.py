"""Mixup: train on mixtures of two windows' features and of their labels."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.distributions import Beta

from models.batching import Batch
from models.networks import Network
from models.objectives.base import Objective, scores_of
from models.schemas.objectives import ObjectiveName


@dataclass(frozen=True)
class Mixup(Objective):
    """Minimize the loss of mixed windows against both labels, weighed as they were mixed.

    Hongyi Zhang et al., "mixup: Beyond Empirical Risk Minimization", 2018, arXiv:1710.09412, sec. 2:
    s x_i + (1 - s) x_j and s y_i + (1 - s) y_j with s ~ Beta(alpha, alpha), one s a batch as in their code.
    Hongyu Guo et al., "Augmenting Data with Mixup for Sentence Classification", 2019, arXiv:1905.08941: x is
    the sentence's feature vector before the last layer (senMixup). The cross-entropy is linear in y, so the
    loss of a mixed label is the mixture of both losses.

    Partners are drawn within what goes through the model at once: where memory asks for a batch in parts,
    the mixtures are others, and the expected gradient is the same.

    Args:
        mixup_alpha: alpha; small values mix little, 1 draws s uniformly.
    """

    name: ClassVar[ObjectiveName] = "mixup"
    mixup_alpha: float = 0.4

    def terms(self, network: Network, batch: Batch) -> Iterator[Tensor]:
        """Yield the loss of the mixtures."""
        partner = torch.randperm(len(batch.input_ids)).to(batch.input_ids.device)
        share = float(Beta(self.mixup_alpha, self.mixup_alpha).sample())
        with _mixed(network, partner, share):
            scores = scores_of(network, batch)
        own, other = self.loss(scores, batch.labels), self.loss(scores, batch.labels[partner])
        yield share * own + (1.0 - share) * other


@contextmanager
def _mixed(network: Network, partner: Tensor, share: float) -> Iterator[None]:
    """Mix what the head is given inside the block, (windows, features), with each window's partner."""
    head = network.get_submodule("head")
    hook = head.register_forward_pre_hook(
        lambda _module, inputs: (share * inputs[0] + (1.0 - share) * inputs[0][partner],)
    )
    try:
        yield
    finally:
        hook.remove()
