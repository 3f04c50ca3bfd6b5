"""IA3: learned factors on keys, values and the inside of feed-forward blocks."""

from typing import ClassVar

from torch import nn
from transformers import PreTrainedModel

from models.tuning.base import TuningMethod
from models.tuning.library import inject, merge_layers, peft
from models.tuning.targets import feed_forward_outputs, keys_and_values


class Ia3(TuningMethod):
    """Scale keys, values and feed-forward activations by learned vectors that begin at one; by `peft`.

    Liu et al., "Few-Shot Parameter-Efficient Fine-Tuning is Better and Cheaper than In-Context Learning",
    2022, arXiv:2205.05638, sec. 3.3: l_k * K, l_v * V and l_ff * gelu(W_1 x).
    """

    libraries: ClassVar[tuple[str, ...]] = ("peft",)

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a model that makes queries, keys and values by one layer."""
        return (
            None if keys_and_values(pretrained) else "its attention has no layers for keys and values apart"
        )

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Put the factors at the layers."""
        inner = feed_forward_outputs(pretrained)
        settings = peft().IA3Config(
            target_modules=[*keys_and_values(pretrained), *inner], feedforward_modules=inner
        )
        return inject(pretrained, settings)

    def merge(self, tuned: nn.Module) -> nn.Module:
        """Multiply the factors into the weights."""
        return merge_layers(tuned)
