"""Prototypical networks: a class is the mean of its few examples."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.learners.base import Episode, Inputs, Learner, Network, Params, Shots, check_positive
from models.learners.heads import ABSENT, LOG_SCALE, class_means, head_parameters

_CENTRES, _COUNTS = "prototypes", "counts"


@dataclass(frozen=True, kw_only=True)
class Prototypical(Learner):
    """Score by the squared distance to each class's mean feature.

    Snell, Swersky, Zemel, "Prototypical Networks for Few-shot Learning", 2017, arXiv:1703.05175: c_k the mean
    of class k's support (eq. 1), p(y = k | x) proportional to exp(-d(f(x), c_k)) (eq. 2), d the squared
    Euclidean distance.

    Departure: the distance is multiplied by a learned scale, since features of length 1 are at most 4 apart;
    `scale=1` and features as they are give the paper's.

    Args:
        scale: Where the scale starts.
    """

    name: ClassVar[str] = "prototypical"

    scale: float = 10.0

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)

    @property
    def adapts_body(self) -> bool:
        """Keep all weights within an episode."""
        return False

    def begin(self, network: Network) -> Params:
        """Give the network's weights and the scale."""
        return super().begin(network) | head_parameters("prototypes", network, 0, self.scale)

    def adapt(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Give the prototypes (n_way, dim) and how many examples each stands for."""
        members = network.members(support.targets, n_way)
        centres = class_means(network.features(params, support.inputs), members)
        return {_CENTRES: centres, _COUNTS: members.sum(0)}

    def scores(self, network: Network, params: Params, adapted: Params, inputs: Inputs) -> Tensor:
        """Give minus the scaled squared distance to each prototype."""
        features, centres = network.features(params, inputs), adapted[_CENTRES]
        apart = (
            (features**2).sum(1, keepdim=True) - 2 * features @ centres.T + (centres**2).sum(1).unsqueeze(0)
        )
        return torch.where(adapted[_COUNTS] > 0, -params[LOG_SCALE].exp() * apart, ABSENT)

    def linear_head(self, params: Params, adapted: Params) -> tuple[Tensor, Tensor]:
        """Give -s |f - c|^2 = 2 s c.f - s |c|^2 - s |f|^2 without the last term, which all classes share."""
        centres, scale = adapted[_CENTRES], params[LOG_SCALE].exp()
        bias = -scale * (centres**2).sum(1)
        return 2 * scale * centres, torch.where(adapted[_COUNTS] > 0, bias, ABSENT)

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the query's cross-entropy."""
        del progress
        adapted = self.adapt(network, params, episode.support, episode.n_way)
        scores = self.scores(network, params, adapted, episode.query.inputs)
        return network.loss(scores, episode.query.targets)
