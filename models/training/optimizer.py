"""AdamW's parameter groups, the rate at each step, and which layers train.

The step itself (backward, clipping) is in `loop.py`.
"""

from torch import nn
from torch.optim import AdamW

from models.networks import Network
from models.schemas import AgentConfig


def build_optimizer(model: Network, config: AgentConfig) -> AdamW:
    """Make AdamW (Loshchilov and Hutter, 2019, arXiv:1711.05101) with a rate for encoder and head each.

    Vectors (biases, LayerNorm, factors that begin at one) are not decayed. A parameter without a gradient is
    left as it is, decay included, so frozen layers stay bit for bit. Each group's `peak` is its rate at the
    end of the warm-up.
    """
    pretrained = set(model.pretrained.parameters())
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for parameter in (p for p in model.parameters() if p.requires_grad):
        rate = config.learning_rate if parameter in pretrained else config.head_learning_rate
        decay = pretrained_decay(config) if parameter in pretrained else config.weight_decay
        decay = decay if parameter.squeeze().ndim > 1 else 0.0
        groups.setdefault((rate, decay), []).append(parameter)
    return AdamW(
        [{"params": p, "lr": r, "peak": r, "weight_decay": d} for (r, d), p in groups.items()], fused=True
    )


def pretrained_decay(config: AgentConfig) -> float:
    """Give the pretrained weights' decay to nothing: there is none where they decay to their start."""
    return config.weight_decay if config.start_decay is None else 0.0


def rate_factor(progress: float, warmup_share: float) -> float:
    """Give the share of the peak rate: a linear rise, then a linear fall to nothing.

    A pure function of the progress (fraction of the whole training, 0-1), so that a resumed run needs no
    scheduler's state.
    """
    if progress < warmup_share:
        return progress / warmup_share
    return max(0.0, (1.0 - progress) / (1.0 - warmup_share))


def set_rates(optimizer: AdamW, factor: float) -> None:
    """Set each group's rate to `factor` of its peak."""
    for group in optimizer.param_groups:
        group["lr"] = group["peak"] * factor


def thaw(model: Network, config: AgentConfig, epoch: int) -> None:
    """Let exactly those parameters train that the config names for this epoch (from 0).

    `gradual` (Howard and Ruder, 2018, arXiv:1801.06146) starts with the head alone and thaws one more
    layer an epoch from the top; embeddings thaw after the lowest layer. Another way of tuning than `full` has
    said what trains when the network was built.
    """
    if config.tuning != "full":
        return
    layers = encoder_layers(model.pretrained)
    training = {
        "none": len(layers) + 1,
        "encoder": 0,
        "all_but_top": min(config.top_layers, len(layers)),
        "gradual": min(epoch, len(layers) + 1),
    }[config.freeze]
    model.pretrained.requires_grad_(training > len(layers))
    for layer in list(layers)[len(layers) - min(training, len(layers)) :]:
        layer.requires_grad_(True)


def encoder_layers(encoder: nn.Module) -> nn.ModuleList:
    """Find the encoder's stack of layers: the longest list of modules in it; empty if there is none."""
    stacks = [module for module in encoder.modules() if isinstance(module, nn.ModuleList)]
    return max(stacks, key=len, default=nn.ModuleList())
