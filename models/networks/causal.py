"""A causal model: goes on where a text ends."""

import inspect
from typing import Any, ClassVar

from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from models.adapters.base import IGNORED
from models.networks.generation import Generation
from models.networks.writing import WritingNetwork
from models.schemas.families import Family


class CausalNetwork(WritingNetwork):
    """Go on where each window ends; windows are filled up before their beginning."""

    family: ClassVar[Family] = "causal"
    auto: ClassVar[Any] = AutoModelForCausalLM
    pads_left: ClassVar[bool] = True

    def __init__(self, language_model: PreTrainedModel, limits: Generation) -> None:
        super().__init__(language_model, limits)
        # Where only the ends of windows are learned, the vocabulary's scores are needed only there.
        self._cuts = "logits_to_keep" in inspect.signature(language_model.forward).parameters

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """Score the sub-words that are to be learned, each after those before it.

        Args:
            input_ids: (batch, length).
            attention_mask: (batch, length), 0 at padding; None where nothing is padded.
            labels: (batch, length) ids as in `input_ids`, IGNORED where nothing is learned, as at the first.

        Returns:
            (sub-words to learn, vocabulary).
        """
        if labels is None:
            raise TypeError("A causal network scores what goes on, so it needs labels.")
        model: Any = self.language_model
        counts = labels != IGNORED
        kept = input_ids.shape[1] + 1 - int(counts.any(0).int().argmax())
        places = None if attention_mask is None else (attention_mask.cumsum(1) - 1).clamp(min=0)
        options = {"logits_to_keep": kept} if self._cuts else {}
        scores: Tensor = model(
            input_ids=input_ids,
            attention_mask=attention_mask,
            position_ids=places,
            use_cache=False,
            **options,
        ).logits
        return scores[:, -kept:-1][counts[:, 1 - kept :]]
