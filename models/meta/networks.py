"""One network for each task type over the same encoder, so that one meta-training can mix them."""

from collections.abc import Callable, Sequence
from typing import Literal

import torch
from torch import nn
from transformers import PreTrainedModel

from models.episodes import Kind
from models.errors import ConfigError
from models.learners import Network
from models.learners.network import ModuleNetwork
from models.meta.cut import UpperBody, WholeBody, cut
from models.meta.readouts import MARKS, READOUTS

Networks = dict[Kind, Network]
MetaLayers = int | Literal["all", "none"]


def build_networks(
    encoder: PreTrainedModel,
    kinds: Sequence[Kind],
    layers: MetaLayers,
    learned: Callable[[str], bool] = lambda _: True,
    *,
    plain_attention: bool = True,
) -> tuple[Networks, PreTrainedModel | None]:
    """Cut an encoder, and make a network for each task type on the upper part.

    Args:
        encoder: Weights are shared with it.
        kinds: Task types of the episodes.
        layers: How many layers from the top are learned; all of the encoder, or none (the head alone).
        learned: Which weights of the upper part are learned, by name.
        plain_attention: Attend by the plain formula, which has second derivatives, runs over many episodes'
            weights at once, and is the faster one in bf16 on a CPU; or by the fused kernels.

    Returns:
        The networks, and what computes their inputs from sub-words; None where they read sub-words.
    """
    encoder.train(False)
    encoder.set_attn_implementation("eager" if plain_attention else "sdpa")
    width = int(encoder.config.hidden_size)
    if layers == "all":
        return {
            kind: _network(WholeBody(encoder, READOUTS[kind]), kind, width, learned) for kind in kinds
        }, None
    if layers == "none":
        top, below = nn.ModuleList(), encoder
    else:
        below, top = cut(encoder, layers)
    bodies = {kind: UpperBody(top, READOUTS[kind]) for kind in kinds}
    return {kind: _network(body, kind, width, learned) for kind, body in bodies.items()}, below


def _network(body: nn.Module, kind: Kind, width: int, learned: Callable[[str], bool]) -> Network:
    return ModuleNetwork(body, width * (MARKS if kind == "relation_classification" else 1), learned)


def put_back(encoder: PreTrainedModel, layers: MetaLayers, params: dict[str, torch.Tensor]) -> None:
    """Write meta-learned weights into the encoder that the networks were made from.

    Raises:
        ConfigError: There is no weight of such a name.
    """
    if layers == "none":
        return
    body: nn.Module = WholeBody(encoder, READOUTS["text_classification"])
    if layers != "all":
        body = UpperBody(cut(encoder, layers)[1], READOUTS["text_classification"])
    named = dict(body.named_parameters())
    with torch.no_grad():
        for name, weight in params.items():
            if name not in named:
                raise ConfigError(f"The encoder has no weight {name!r}; the start is of another one.")
            named[name].copy_(weight)
