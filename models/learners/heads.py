"""Linear heads whose classes change with the episode: how they start, and how they score.

With a new set of classes in every episode, a head can not be carried over as it is. What it starts from is
named by `HeadStart`.
"""

from typing import Literal

import torch
from torch import Tensor

from models.errors import ConfigError
from models.learners.base import Network, Params

HeadStart = Literal["prototypes", "zeros", "shared", "learned"]
WEIGHT, BIAS, LOG_SCALE = "head.weight", "head.bias", "head.log_scale"
ABSENT = -1e9
"""The score of a class without support: finite, so that second derivatives are."""


def head_parameters(start: HeadStart, network: Network, n_way: int, scale: float) -> Params:
    """Give what a head's start learns.

    Args:
        start: `learned` keeps one vector for each of `n_way` classes (MAML's own), `shared` one for all
            classes (Ye and Chao, "How to Train Your MAML to Excel in Few-Shot Classification", 2022,
            arXiv:2106.16245, sec. 6), `prototypes` a scale, `zeros` nothing.
        network: Whose features are scored.
        n_way: Classes of every episode; only `learned` needs it.
        scale: Start of the scale of `prototypes`.
    """
    some = network.parameters
    kind = next(iter(some.values())) if some else torch.zeros(())
    if start == "prototypes":
        return {LOG_SCALE: torch.tensor(scale, dtype=kind.dtype, device=kind.device).log()}
    if start == "zeros":
        return {}
    vectors = n_way if start == "learned" else 1
    return {
        WEIGHT: torch.zeros(vectors, network.dim, dtype=kind.dtype, device=kind.device),
        BIAS: torch.zeros(vectors, dtype=kind.dtype, device=kind.device),
    }


def start_head(start: HeadStart, params: Params, features: Tensor, members: Tensor) -> Params:
    """Give an episode's head before its first step: weight (n_way, dim) and bias (n_way,).

    `prototypes` is the linear form of a prototypical network: -s |f - c|^2 = 2 s c.f - s |c|^2 + const
    (Triantafillou et al., "Meta-Dataset", 2020, arXiv:1903.03096, sec. 3, proto-MAML), s the learned scale.

    Args:
        start: What the head starts from.
        params: The meta-parameters.
        features: (items, dim) of the support; only `prototypes` reads more of them than dim.
        members: (items, n_way), 1 at an item's class.

    Raises:
        ConfigError: A `learned` head has another number of classes.
    """
    n_way = members.shape[1]
    if start == "prototypes":
        centres = class_means(features, members)
        scale = params[LOG_SCALE].exp()
        weight, bias = 2 * scale * centres, -scale * (centres**2).sum(1)
    elif start == "zeros":
        weight, bias = features.new_zeros(n_way, features.shape[1]), features.new_zeros(n_way)
    else:
        weight, bias = params[WEIGHT], params[BIAS]
        if start == "learned" and len(weight) != n_way:
            raise ConfigError(
                f"The learned head has {len(weight)} classes and the episode {n_way}. Keep n_way as it was "
                "in meta-training, or start the head from prototypes, shared or zeros."
            )
        weight, bias = weight.expand(n_way, -1), bias.expand(n_way)
    return {WEIGHT: weight, BIAS: torch.where(members.sum(0) > 0, bias, ABSENT)}


def linear_scores(head: Params, features: Tensor) -> Tensor:
    """Score features (items, dim) by a linear head: (items, n_way)."""
    return features @ head[WEIGHT].T + head[BIAS]


def memberships(targets: Tensor, n_way: int, kind: torch.dtype) -> Tensor:
    """Give (items, n_way): 1 at an item's class, 0 elsewhere; an ignored item has none."""
    return (targets.unsqueeze(-1) == torch.arange(n_way, device=targets.device)).to(kind)


def class_means(features: Tensor, members: Tensor) -> Tensor:
    """Average the features (items, dim) of each class: (n_way, dim); zeros where there is none."""
    centres: Tensor = (members.T @ features) / members.sum(0).clamp(min=1).unsqueeze(1)
    return centres
