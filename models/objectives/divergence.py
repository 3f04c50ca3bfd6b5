"""How far two answers to the same batch lie apart, for tasks that choose by a softmax over the outputs."""

from torch import Tensor

from models.adapters.base import IGNORED


def log_probabilities(scores: Tensor) -> Tensor:
    """Give the logarithm of the softmax over the last dimension, one line a label, in float32."""
    return scores.float().flatten(0, -2).log_softmax(-1)


def mean_over_targets(values: Tensor, labels: Tensor) -> Tensor:
    """Average (labels,) values over the labels that count; 0 if there is none."""
    counts = (labels.flatten() != IGNORED).to(values.dtype)
    return (values * counts).sum() / counts.sum().clamp(min=1)


def symmetric_divergence(first: Tensor, second: Tensor, labels: Tensor) -> Tensor:
    """Give the mean of KL(p || q) + KL(q || p) = sum (p - q) (log p - log q) over the targets.

    Args:
        first: Log-probabilities, (labels, outputs).
        second: Others of the same labels.
        labels: Those that are IGNORED do not count.
    """
    apart = ((first.exp() - second.exp()) * (first - second)).sum(-1)
    return mean_over_targets(apart, labels)
