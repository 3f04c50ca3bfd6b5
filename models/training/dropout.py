"""How much of a network is dropped at random while it trains."""

from torch import nn


def set_dropout(network: nn.Module, share: float) -> None:
    """Drop this share (fraction, 0-1) wherever the network drops anything, in attention too.

    Architectures keep it in dropout layers, or as a number in a layer that applies it by itself.
    """
    for module in network.modules():
        if isinstance(module, nn.Dropout):
            module.p = share
        for name, value in list(vars(module).items()):
            if "dropout" in name and type(value) in (int, float):
                setattr(module, name, share)
