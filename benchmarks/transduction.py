"""Transductive inference: all queries are seen together, and so move the prototypes or teach the head."""

import numpy as np
import torch
from scipy.special import softmax
from sklearn.linear_model import LogisticRegression
from torch import Tensor

from models.learners import EpisodeBatch, Params
from models.learners.heads import LOG_SCALE, memberships

ROUNDS = 10
_SELF_TRAININGS, _SHARPER, _LABELLED, _SHARE, _LEAST = 2, 2.0, 4.0, 0.7, 5


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


def self_trained(
    features: np.ndarray, classes: np.ndarray, queries: np.ndarray, scores: np.ndarray
) -> np.ndarray:
    """Learn a head from labelled rows and from the queries that were answered most surely.

    Self-training with pseudo-labels: of each class the surest 70 % of its answers, at least 5; a labelled row
    counts as four of them. Nothing is assumed about how many queries each class has.

    Args:
        features: (rows, dim) of the labelled rows.
        classes: (rows,) their classes, from 0.
        queries: (queries, dim).
        scores: (queries, classes) logits of a first answer.

    Returns:
        (queries, classes) log-probabilities.
    """
    for _ in range(_SELF_TRAININGS):
        sure = softmax(_SHARPER * scores, axis=1)
        answers, sure = sure.argmax(1), sure.max(1)
        taken = np.concatenate([_surest(np.flatnonzero(answers == c), sure) for c in np.unique(classes)])
        rows = np.concatenate([features, queries[taken]])
        weights = np.repeat([_LABELLED, 1.0], [len(features), len(taken)])
        head = LogisticRegression(C=10.0, max_iter=300)
        head.fit(rows, np.concatenate([classes, answers[taken]]), sample_weight=weights)
        scores = head.predict_log_proba(queries)
    return scores


def _surest(rows: np.ndarray, sure: np.ndarray) -> np.ndarray:
    return rows[np.argsort(-sure[rows], kind="stable")][: max(_LEAST, int(_SHARE * len(rows)))]
