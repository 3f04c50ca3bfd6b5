"""Tune a network by its agent's method, and merge what it learned into a plain network again.

What is stored of it is in `stored.py`, and where its base comes from in `bases.py`.
"""

import torch
from torch import nn
from transformers import PreTrainedModel

from models.encoder import DEFAULT_PACKAGE
from models.errors import ConfigError
from models.networks.base import Network
from models.pretrained import DEFAULT_ENCODER
from models.schemas import AgentConfig
from models.tuning import METHODS
from models.tuning.bases import BaseRef, weights_digest


def check_fit(pretrained: PreTrainedModel, config: AgentConfig) -> None:
    """Refuse a method that does not run on a model.

    Raises:
        ConfigError: It does not; the message names those that do.
    """
    reason = METHODS[config.tuning](config).misfit(pretrained)
    if reason is not None:
        fitting = [name for name, make in METHODS.items() if make(config).misfit(pretrained) is None]
        raise ConfigError(
            f"tuning: {config.tuning} does not run on {config.encoder} ({type(pretrained).__name__}): "
            f"{reason}. Choose tuning: {', '.join(['full', *fitting])}."
        )


def tuned(pretrained: PreTrainedModel, config: AgentConfig) -> nn.Module:
    """Freeze a pretrained model and add what an agent's method trains.

    Args:
        pretrained: Changed in place.
        config: The agent; its seed is that of new parameters.

    Returns:
        The module to use in its place, often itself.

    Raises:
        ConfigError: The method's library is not installed.
    """
    pretrained.requires_grad_(False)
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(config.seed)  # a GPU's random numbers stay as they are
        return METHODS[config.tuning](config).apply(pretrained)


def tune(network: Network, config: AgentConfig) -> None:
    """Tune a freshly built network by its agent's method, and note which weights it stands on.

    Raises:
        ConfigError: The method does not run on this model, or its library is not installed.
    """
    check_fit(network.pretrained, config)
    digest = weights_digest(network.pretrained)
    replace_pretrained(network, tuned(network.pretrained, config))
    packages = METHODS[config.tuning](config).libraries
    if config.encoder == DEFAULT_ENCODER:
        packages = (*packages, DEFAULT_PACKAGE)
    network.base = BaseRef(id=config.encoder, digest=digest, tuning=config.tuning, packages=packages)


def merge(network: Network, config: AgentConfig) -> None:
    """Write what was learned into the pretrained weights, so that the network is stored as a whole one."""
    replace_pretrained(network, METHODS[config.tuning](config).merge(network.pretrained))
    network.base = None


def replace_pretrained(network: Network, new: nn.Module) -> None:
    """Put a module in the place of a network's pretrained model."""
    old = network.pretrained
    for name in [name for name, child in network.named_children() if child is old]:
        setattr(network, name, new)


def trained_share(network: nn.Module) -> float:
    """Tell the share of a network's parameters that train (fraction, 0-1)."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in network.parameters()]
    return sum(size for size, trains in sizes if trains) / sum(size for size, _ in sizes)
