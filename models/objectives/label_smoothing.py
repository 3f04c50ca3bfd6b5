"""Label smoothing, which goes with any objective."""

from torch import Tensor

from models.objectives.base import TaskLoss
from models.objectives.divergence import log_probabilities, mean_over_targets


def smoothed(loss: TaskLoss, share: float) -> TaskLoss:
    """Take `share` of the truth's weight and spread it over all outputs alike.

    Christian Szegedy et al., "Rethinking the Inception Architecture for Computer Vision", 2016,
    arXiv:1512.00567, sec. 7: (1 - e) H(q, p) + e H(u, p) with u uniform.

    Args:
        loss: A cross-entropy of a softmax over the outputs.
        share: e (fraction, 0-1).
    """

    def smoothed_loss(scores: Tensor, labels: Tensor) -> Tensor:
        even = mean_over_targets(-log_probabilities(scores).mean(-1), labels)
        return (1.0 - share) * loss(scores, labels) + share * even

    return smoothed_loss
