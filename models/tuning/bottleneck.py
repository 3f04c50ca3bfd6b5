"""Bottleneck adapters: small networks behind each block of a frozen model."""

from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch.nn import functional
from transformers import PreTrainedModel

from models.tuning.base import TuningMethod
from models.tuning.targets import residual_outputs

_ADAPTER = "bottleneck"


class Bottleneck(nn.Module):
    """Add a correction of low width to hidden states: h + W_up gelu(W_down h + b_down) + b_up.

    Args:
        width: Size of hidden states.
        size: Size of the bottleneck.
    """

    def __init__(self, width: int, size: int) -> None:
        super().__init__()
        self.down, self.up = nn.Linear(width, size), nn.Linear(size, width)
        nn.init.zeros_(self.up.weight)
        nn.init.zeros_(self.up.bias)

    def forward(self, hidden: Tensor) -> Tensor:
        """Correct (..., width)."""
        corrected: Tensor = hidden + self.up(functional.gelu(self.down(hidden)))
        return corrected


@dataclass(frozen=True)
class BottleneckAdapters(TuningMethod):
    """Put a bottleneck behind every attention and every feed-forward block.

    Houlsby et al., "Parameter-Efficient Transfer Learning for NLP", 2019, arXiv:1902.00751, sec. 2.1 and fig.
    2: before the residual connection. W_up begins at zero and not near it, so that training starts at the
    base's own scores, and LayerNorm stays the base's.

    Args:
        size: Size of the bottleneck.
    """

    size: int

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a model none of whose linear layers feeds the hidden states."""
        return None if residual_outputs(pretrained) else "none of its linear layers ends a block"

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Hang a bottleneck on each layer that ends a block, as its part, so the layer's names stay."""
        for layer in residual_outputs(pretrained).values():
            adapter = Bottleneck(layer.out_features, self.size).to(layer.weight.dtype)
            layer.add_module(_ADAPTER, adapter)
            layer.register_forward_hook(_corrected)
        return pretrained


def _corrected(layer: nn.Module, inputs: Any, output: Tensor) -> Tensor:  # noqa: ANN401 - torch's hook
    del inputs
    corrected: Tensor = layer.get_submodule(_ADAPTER)(output)
    return corrected
