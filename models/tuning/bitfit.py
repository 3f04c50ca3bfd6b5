"""BitFit: train the biases alone."""

from torch import nn
from transformers import PreTrainedModel

from models.tuning.base import TuningMethod


class BitFit(TuningMethod):
    """Train a model's own bias vectors and nothing else of it.

    Ben Zaken, Goldberg and Ravfogel, "BitFit: Simple Parameter-efficient Fine-tuning for Transformer-based
    Masked Language-models", 2022, arXiv:2106.10199, sec. 3: all b in x -> W x + b and in LayerNorm.
    """

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a model without biases, as T5's and Llama's families are."""
        return None if _biases(pretrained) else "it has no biases"

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Thaw the biases."""
        for bias in _biases(pretrained):
            bias.requires_grad_(True)
        return pretrained

    def merge(self, tuned: nn.Module) -> nn.Module:
        """Give the model, whose weights these are."""
        return tuned


def _biases(model: nn.Module) -> list[nn.Parameter]:
    return [p for name, p in model.named_parameters() if name.rpartition(".")[2] == "bias"]
