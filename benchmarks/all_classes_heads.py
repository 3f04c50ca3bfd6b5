"""Heads on embedded rows, with all classes at once: which of them answer right."""

from dataclasses import dataclass
from functools import cache

import numpy as np
import torch
from sklearn.linear_model import LogisticRegression
from threadpoolctl import threadpool_limits
from transformers import PreTrainedModel

from benchmarks.intents import KIND
from benchmarks.transduction import self_trained
from models.encoder import load_encoder_model
from models.learners import Shots, make_learner
from models.learners.base import Embedded
from models.meta.networks import build_networks
from models.pretrained import DEFAULT_ENCODER

_LOGISTIC = {"logistic": 10.0, "logistic 100": 100.0}
ANIL = "anil"
HEADS = ("prototypes", *_LOGISTIC, ANIL)
_ANIL = {"inner_lr": 100.0, "inner_steps": 100, "scale": 5.0}
"""Chosen on classes of BANKING77 and CLINC150 that stand for validation."""


@dataclass(frozen=True)
class Rows:
    """Embedded rows (rows, dim) with their classes (rows,)."""

    features: np.ndarray
    labels: np.ndarray


def right(head: str, support: Rows, query: Rows, *, transductive: bool = False) -> np.ndarray:
    """Tell which rows a head answers right, (rows,) bool; all rows may be seen together, by ANIL's head."""
    classes, known = np.unique(support.labels, return_inverse=True)
    if head == "prototypes":
        centres = np.stack([support.features[known == c].mean(0) for c in range(len(classes))])
        apart = (centres**2).sum(1) - 2 * query.features @ centres.T
        return classes[apart.argmin(1)] == query.labels
    with threadpool_limits(2):
        if head in _LOGISTIC:
            model = LogisticRegression(C=_LOGISTIC[head], max_iter=1000)
            return model.fit(support.features, support.labels).predict(query.features) == query.labels
        scores = _anil_scores(support.features, known, query.features)
        if transductive:
            scores = self_trained(support.features, known, query.features, scores)
    return classes[scores.argmax(1)] == query.labels


def _anil_scores(features: np.ndarray, classes: np.ndarray, queries: np.ndarray) -> np.ndarray:
    """Adapt ANIL's head, and score (queries, classes)."""
    networks, _ = build_networks(_encoder(), [KIND], "none", plain_attention=False)
    network, learner = Embedded(networks[KIND]), make_learner("anil", _ANIL)
    params = learner.begin(network)
    support = Shots((torch.from_numpy(features),), torch.from_numpy(classes))
    with torch.no_grad():
        adapted = learner.adapt(network, params, support, int(classes.max()) + 1)
        weight, bias = learner.linear_head(params, adapted)
    found: np.ndarray = queries @ weight.numpy().T + bias.numpy()
    return found


@cache
def _encoder() -> PreTrainedModel:
    return load_encoder_model(DEFAULT_ENCODER)
