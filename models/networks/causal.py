"""A causal model: goes on where a text ends."""

import inspect
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor
from transformers import AutoModelForCausalLM, PreTrainedModel

from models.adapters.base import IGNORED, Shape
from models.encoder import load_writer, new_writer
from models.networks.base import Network, Wanted
from models.networks.generation import Generation, write
from models.schemas import AgentConfig


class CausalNetwork(Network):
    """Go on where each window ends; windows are filled up before their beginning.

    Args:
        language_model: A pretrained decoder.
        limits: How long answers are, and how they are searched.
    """

    writes = True
    pads_left: ClassVar[bool] = True

    def __init__(self, language_model: PreTrainedModel, limits: Generation) -> None:
        super().__init__()
        self.language_model, self.limits = language_model, limits
        # Where only the ends of windows are learned, the vocabulary's scores are needed only there.
        self._cuts = "logits_to_keep" in inspect.signature(language_model.forward).parameters

    @property
    def wants(self) -> tuple[Wanted, ...]:
        """Name the sub-words, what pads, and those of them that are to be learned."""
        return ("input_ids", "attention_mask", "labels")

    @property
    def pretrained(self) -> PreTrainedModel:
        """Give the whole of it."""
        return self.language_model

    @classmethod
    def build(cls, config: AgentConfig, shape: Shape) -> Self:
        """Load the config's model.

        Raises:
            ConfigError: It can not be loaded, or is no causal model.
        """
        del shape
        return cls(load_writer(config.encoder, AutoModelForCausalLM, "causal"), Generation.of(config))

    @classmethod
    def blank(cls, config: AgentConfig, shape: Shape, folder: str) -> Self:
        """Make the model that a folder's config.json describes."""
        del shape
        return cls(new_writer(folder, AutoModelForCausalLM), Generation.of(config))

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

    def reseed(self, seed: int) -> None:
        """Sample otherwise from now on."""
        self.limits = replace(self.limits, seed=seed)

    def answers(self, inputs: Mapping[str, Tensor], lengths: np.ndarray) -> list[np.ndarray]:
        """Write what follows each window: ids and log-probabilities, (2, written)."""
        del lengths
        config = self.language_model.config
        ends = self.language_model.generation_config.eos_token_id
        pad = config.pad_token_id if config.pad_token_id is not None else ends
        return write(self.language_model, inputs, int(np.atleast_1d(pad)[0]), self.limits)
