"""Find the layers of any Transformer that a method acts on, by their shapes and their parts in attention.

No architecture is named here: q, k and v stand at the head of those layers' names in all of them.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn
from transformers import PreTrainedModel


def linears(pretrained: PreTrainedModel) -> dict[str, nn.Linear]:
    """Give every linear layer of a model's stack by its name; not the one that gives words their scores."""
    scoring = output_embeddings(pretrained)
    return {
        name: module
        for name, module in pretrained.named_modules()
        if isinstance(module, nn.Linear) and module is not scoring
    }


def output_embeddings(pretrained: PreTrainedModel) -> nn.Module | None:
    """Give the layer that gives words their scores; None for an encoder."""
    model: Any = pretrained
    found: nn.Module | None = model.get_output_embeddings()
    return found


def keys_and_values(pretrained: PreTrainedModel) -> list[str]:
    """Name the linear layers that make keys and values; empty where attention has one for all three."""
    return [name for attention, name in _attention_inputs(pretrained) if _begins(name, "k", "v")]


def residual_outputs(pretrained: PreTrainedModel) -> dict[str, nn.Linear]:
    """Give the linear layers whose output is added to the stream of hidden states.

    Those are the last of each attention and of each feed-forward block, told by their width.
    """
    inputs = {name for _, name in _attention_inputs(pretrained)}
    width = pretrained.config.hidden_size
    return {
        name: layer
        for name, layer in linears(pretrained).items()
        if layer.out_features == width and name not in inputs
    }


def feed_forward_outputs(pretrained: PreTrainedModel) -> list[str]:
    """Name the linear layers that bring a feed-forward block back to the width of hidden states."""
    attentions = {attention for attention, _ in _attention_inputs(pretrained)}
    width = pretrained.config.hidden_size
    return [
        name
        for name, layer in residual_outputs(pretrained).items()
        if layer.in_features != width and name.rpartition(".")[0] not in attentions
    ]


def _attention_inputs(pretrained: PreTrainedModel) -> Iterator[tuple[str, str]]:
    """Yield each attention module that holds layers for q, k and v, with each of them, by name."""
    names = list(linears(pretrained))
    siblings: dict[str, list[str]] = {}
    for name in names:
        siblings.setdefault(name.rpartition(".")[0], []).append(name)
    for parent, found in siblings.items():
        if all(any(_begins(name, letter) for name in found) for letter in "qkv"):
            yield from ((parent, name) for name in found if _begins(name, "q", "k", "v"))


def _begins(name: str, *letters: str) -> bool:
    return name.rpartition(".")[2].startswith(letters)
