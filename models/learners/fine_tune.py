"""Plain fine-tuning: the control that every learner is compared with."""

from dataclasses import dataclass
from typing import ClassVar

from torch import Tensor

from models.learners.base import Episode, Network, Params
from models.learners.gradient import GradientLearner


@dataclass(frozen=True, kw_only=True)
class FineTune(GradientLearner):
    """Adapt by gradient steps from a start that was not learned for that.

    Its outer loop, if it is run at all, trains on the episodes' queries as they are (joint training, the
    "pretrained" control of Finn et al., 2017, sec. 5.1); without it the start is the pretrained encoder.
    """

    name: ClassVar[str] = "fine_tune"

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the query's loss before any inner step."""
        del progress
        support, query, n_way = episode
        start = self.start(network, params, support, n_way)
        return network.loss(self.scores(network, params, start, query.inputs), query.targets)
