"""What is stored of a tuned network: the parameters that are its own, and which base they stand on."""

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from models.errors import ArtifactError
from models.networks.base import Network
from models.schemas import AgentConfig
from models.tuning.bases import BASE, WEIGHTS, BaseRef
from models.tuning.tune import replace_pretrained, tuned


def own_parameters(network: nn.Module) -> dict[str, nn.Parameter]:
    """Give those parameters of a tuned network that are its own: what its method trains, and the head."""
    return {name: parameter for name, parameter in network.named_parameters() if parameter.requires_grad}


def save_tuned(folder: Path, network: nn.Module, base: BaseRef) -> None:
    """Store what is a tuned network's own in `folder`."""
    own = {name: value.detach().contiguous() for name, value in own_parameters(network).items()}
    save_file(own, folder / WEIGHTS)
    (folder / BASE).write_text(base.model_dump_json(indent=2) + "\n", encoding="utf-8")


def load_tuned(folder: Path, network: Network, base: BaseRef, config: AgentConfig) -> None:
    """Tune a network whose pretrained model is its base already as the one stored in `folder`.

    Raises:
        ArtifactError: What is stored is not what the agent's method trains.
        ConfigError: The method's library is not installed.
    """
    replace_pretrained(network, tuned(network.pretrained, config))
    network.base = base
    own, stored = own_parameters(network), load_file(folder / WEIGHTS)
    if own.keys() != stored.keys():
        strange = sorted(own.keys() ^ stored.keys())
        raise ArtifactError(
            f"{folder / WEIGHTS} is not what tuning: {config.tuning} trains: {strange[0]} and "
            f"{len(strange) - 1} more are there or missing. Train it again, or fetch it again from "
            "the registry."
        )
    with torch.no_grad():
        for name, parameter in own.items():
            parameter.copy_(stored[name])
