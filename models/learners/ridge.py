"""A ridge regression head, solved in closed form inside the episode."""

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from models.learners.base import Episode, Inputs, Learner, Network, Params, Shots, check_positive
from models.learners.heads import ABSENT, LOG_SCALE, head_parameters

_WEIGHT, _COUNTS, _LOG_PENALTY = "ridge.weight", "ridge.counts", "ridge.log_penalty"


@dataclass(frozen=True, kw_only=True)
class Ridge(Learner):
    """Fit a linear map from features to classes by ridge regression, and learn through its solution.

    Bertinetto, Henriques, Torr, Vedaldi, "Meta-learning with differentiable closed-form solvers", 2019,
    arXiv:1805.08136 (R2-D2): W = X^T (X X^T + lambda I)^-1 Y (eq. 6, Woodbury's form, where the support is
    smaller than a feature; (X^T X + lambda I)^-1 X^T Y elsewhere), scores = a X' W + b (eq. 7); lambda and a
    are learned. Y is 1 at a row's
    class; b is the same for all classes and left out.

    Args:
        scale: Where a starts.
        penalty: Where lambda starts.
    """

    name: ClassVar[str] = "ridge"

    scale: float = 10.0
    penalty: float = 1.0

    def __post_init__(self) -> None:
        check_positive(scale=self.scale, penalty=self.penalty)

    @property
    def adapts_body(self) -> bool:
        """Keep all weights within an episode."""
        return False

    def begin(self, network: Network) -> Params:
        """Give the network's weights, the scale and the penalty."""
        params = super().begin(network) | head_parameters("prototypes", network, 0, self.scale)
        kind = params[LOG_SCALE]
        return params | {_LOG_PENALTY: torch.full_like(kind, self.penalty).log()}

    def adapt(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Give the map (dim, n_way), and how many examples each class has."""
        features = network.features(params, support.inputs)
        member = network.members(support.targets, n_way)
        # A row without a class has no say: its feature and its truth are both nothing.
        features = features * member.sum(1, keepdim=True)
        penalty = params[_LOG_PENALTY].exp()
        if len(features) <= network.dim:
            weight = features.T @ torch.linalg.solve(_plus(features @ features.T, penalty), member)
        else:
            weight = torch.linalg.solve(_plus(features.T @ features, penalty), features.T @ member)
        return {_WEIGHT: weight, _COUNTS: member.sum(0)}

    def scores(self, network: Network, params: Params, adapted: Params, inputs: Inputs) -> Tensor:
        """Give the scaled regression values."""
        values = params[LOG_SCALE].exp() * network.features(params, inputs) @ adapted[_WEIGHT]
        return torch.where(adapted[_COUNTS] > 0, values, ABSENT)

    def linear_head(self, params: Params, adapted: Params) -> tuple[Tensor, Tensor]:
        """Give the scaled map; its bias is 0."""
        weight = params[LOG_SCALE].exp() * adapted[_WEIGHT].T
        return weight, torch.where(adapted[_COUNTS] > 0, weight.new_zeros(len(weight)), ABSENT)

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the query's cross-entropy."""
        del progress
        adapted = self.adapt(network, params, episode.support, episode.n_way)
        scores = self.scores(network, params, adapted, episode.query.inputs)
        return network.loss(scores, episode.query.targets)


def _plus(gram: Tensor, penalty: Tensor) -> Tensor:
    """Add the penalty on the diagonal."""
    return gram + penalty * torch.eye(len(gram), dtype=gram.dtype, device=gram.device)
