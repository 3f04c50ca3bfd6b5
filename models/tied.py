"""Weights that an architecture shares, in checkpoints that do not."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
from safetensors import safe_open
from safetensors.torch import load_model
from torch import nn


def load_whole(model: nn.Module, path: Path) -> None:
    """Load all weights of a model from safetensors; each is there, and no other."""
    with safe_open(path, framework="pt") as file:
        untie(model, list(file.keys()), file.metadata() or {})
    load_model(model, path, strict=True)


def untie(model: nn.Module, stored: Sequence[str], same: Mapping[str, str]) -> None:
    """Give each stored weight a parameter of its own, where the architecture shares one among several.

    T5's head is the embedding table in its config, and another matrix in many of its checkpoints: loaded
    into one parameter, the second would overwrite the first without a word.

    Args:
        model: A model whose weights are yet to be loaded.
        stored: Names of the weights in the file; of those that were one in memory, only one.
        same: The names that are not in the file, each with the stored one it is the same as.
    """
    owners: dict[int, list[str]] = {}
    parameters = dict(model.named_parameters(remove_duplicate=False))
    for name in stored:
        if name in parameters:
            owners.setdefault(id(parameters[name]), []).append(name)
    for names in owners.values():
        for name in names[1:]:
            own = nn.Parameter(torch.empty_like(parameters[name]))
            for alias in (name, *(other for other, kept in same.items() if kept == name)):
                place, _, leaf = alias.rpartition(".")
                setattr(model.get_submodule(place), leaf, own)
