"""LoRA and two of its relatives: changes of low rank beside every linear layer."""

from dataclasses import dataclass
from typing import ClassVar

from torch import nn
from transformers import PreTrainedModel

from models.tuning.base import TuningMethod
from models.tuning.library import inject, merge_layers, peft
from models.tuning.targets import linears


@dataclass(frozen=True)
class LowRank(TuningMethod):
    """Learn W + s B A for every linear layer of the stack, with B at zero in the beginning; by `peft`.

    Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", 2022, arXiv:2106.09685, eq. 3, s =
    alpha / rank, and on all linear layers as Dettmers et al., "QLoRA", 2023, arXiv:2305.14314, sec. 4 advise.
    rsLoRA: Kalajdzievski, "A Rank Stabilization Scaling Factor for Fine-Tuning with LoRA", 2023,
    arXiv:2312.03732, s = alpha / sqrt(rank). DoRA: Liu et al., "DoRA: Weight-Decomposed Low-Rank Adaptation",
    2024, arXiv:2402.09353, eq. 5: the change turns each column, whose length is learned apart.

    Args:
        rank: Rank of the change.
        alpha: See s.
        stabilized: Whether this is rsLoRA.
        decomposed: Whether this is DoRA.
    """

    libraries: ClassVar[tuple[str, ...]] = ("peft",)

    rank: int
    alpha: float
    stabilized: bool = False
    decomposed: bool = False

    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Refuse a model without linear layers."""
        return None if linears(pretrained) else "it has no linear layers of torch's own kind"

    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Put the changes beside the layers."""
        settings = peft().LoraConfig(
            r=self.rank,
            lora_alpha=self.alpha,
            use_rslora=self.stabilized,
            use_dora=self.decomposed,
            target_modules=list(linears(pretrained)),
        )
        return inject(pretrained, settings)

    def merge(self, tuned: nn.Module) -> nn.Module:
        """Add the changes to the weights."""
        return merge_layers(tuned)
