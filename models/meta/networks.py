"""One network for each task type over the same encoder, so that one meta-training can mix them."""

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Literal

import torch
from torch import nn
from transformers import PreTrainedModel

from models.episodes import Kind
from models.errors import ConfigError
from models.learners import Network
from models.learners.network import ModuleNetwork
from models.meta.cut import UpperBody, WholeBody, cut
from models.meta.low_rank import LowRank
from models.meta.readouts import MARKS, READOUTS

if TYPE_CHECKING:
    from models.schemas.start import StartConfig

Networks = dict[Kind, Network]
MetaLayers = int | Literal["all", "none"]


@dataclass(frozen=True)
class Chosen:
    """What of a body is learned.

    Args:
        weights: Patterns of the weights' names, as of a shell.
        rank: Learn changes of this rank to the matrices among them, and nothing else; see `LowRank`.
        seed: Seed of the changes' factors.
    """

    weights: Sequence[str] = ("*",)
    rank: int | None = None
    seed: int = 0

    @classmethod
    def of(cls, config: "StartConfig") -> "Chosen":
        """Take it from a start's description."""
        return cls(config.meta_weights, config.meta_rank, config.seed)


def build_networks(
    encoder: PreTrainedModel,
    kinds: Sequence[Kind],
    layers: MetaLayers,
    *,
    chosen: Chosen = Chosen(),
    plain_attention: bool = True,
) -> tuple[Networks, PreTrainedModel | None]:
    """Cut an encoder, and make a network for each task type on the upper part.

    Args:
        encoder: Weights are shared with it.
        kinds: Task types of the episodes.
        layers: How many layers from the top are learned; all of the encoder, or none (the head alone).
        chosen: What of the upper part is learned.
        plain_attention: Attend by the plain formula, which has second derivatives, runs over many episodes'
            weights at once, and is the faster one in bf16 on a CPU; or by the fused kernels.

    Returns:
        The networks, and what computes their inputs from sub-words; None where they read sub-words.

    Raises:
        ConfigError: There are not so many layers, or no weight of such a name.
    """
    encoder.train(False)
    encoder.set_attn_implementation("eager" if plain_attention else "sdpa")
    width = int(encoder.config.hidden_size)

    def made(body: nn.Module, kind: Kind) -> Network:
        return _network(body, width * (MARKS if kind == "relation_classification" else 1), chosen)

    if layers == "all":
        return {kind: made(WholeBody(encoder, READOUTS[kind]), kind) for kind in kinds}, None
    if layers == "none":
        top, below = nn.ModuleList(), encoder
    else:
        below, top = cut(encoder, layers)
    bodies = {kind: UpperBody(top, READOUTS[kind]) for kind in kinds}
    return {kind: made(body, kind) for kind, body in bodies.items()}, below


def _network(body: nn.Module, dim: int, chosen: Chosen) -> Network:
    names = [name for name, _ in body.named_parameters()]
    if chosen.rank:
        matrices = {f"{n}.weight" for n, module in body.named_modules() if isinstance(module, nn.Linear)}
        names = [name for name in names if name in matrices]
    for pattern in chosen.weights:
        if names and not any(fnmatchcase(name, pattern) for name in names):
            kind = "matrix that meta_rank could change" if chosen.rank else "weight"
            raise ConfigError(
                f"meta_weights has {pattern!r}, which fits no {kind} of the learned layers. Their names are "
                f"{', '.join(names[:3])} and so on."
            )
    learned = {name for name in names if any(fnmatchcase(name, p) for p in chosen.weights)}
    network = ModuleNetwork(body, dim, learned.__contains__)
    return LowRank(network, chosen.rank, chosen.seed) if chosen.rank and learned else network


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
