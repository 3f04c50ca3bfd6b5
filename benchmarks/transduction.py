"""Transductive inference: an episode's queries are seen together, and so move the prototypes."""

import torch
from torch import Tensor

from models.learners import EpisodeBatch, Params
from models.learners.heads import LOG_SCALE, memberships

ROUNDS = 10


def transductive(params: Params, batch: EpisodeBatch, rounds: int = ROUNDS) -> Tensor:
    """Score each episode's queries by prototypes that soft assignments of the queries refine.

    Ren et al., "Meta-Learning for Semi-Supervised Few-Shot Classification", 2018, arXiv:1803.00676, sec.
    3.1.1 (soft k-means), with the queries in the place of unlabelled examples; rounds until it settles.
    Nothing is assumed about how many queries each class has.

    Args:
        params: Meta-parameters; the learned scale of distances is read.
        batch: Episodes whose inputs are features, (episodes, rows, dim).
        rounds: Steps of k-means.

    Returns:
        (episodes, queries, n_way).
    """
    scale = params[LOG_SCALE].exp()
    support, query = batch.support.inputs[0], batch.query.inputs[0]
    members = memberships(batch.support.targets, batch.n_way, support.dtype)
    total, count = members.mT @ support, members.sum(1).unsqueeze(-1)
    centres = total / count
    for _ in range(rounds):
        soft = (-scale * torch.cdist(query, centres) ** 2).softmax(-1)
        centres = (total + soft.mT @ query) / (count + soft.sum(1).unsqueeze(-1))
    return -scale * torch.cdist(query, centres) ** 2
