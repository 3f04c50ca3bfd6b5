"""Losses of episodes, safe to differentiate twice and to run over many episodes at once."""

from torch import Tensor
from torch.nn import functional

from models.learners.heads import memberships


def cross_entropy(scores: Tensor, targets: Tensor) -> Tensor:
    """Mean cross-entropy of scores (items, n_way) over the items that have a class; 0 if none has."""
    member = memberships(targets, scores.shape[-1], scores.dtype)
    total = -(member * functional.log_softmax(scores, dim=-1)).sum()
    return total / member.sum().clamp(min=1)
