"""A seq2seq model: reads a text with its encoder and writes another with its decoder."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Self

import numpy as np
from torch import Tensor
from transformers import AutoModelForSeq2SeqLM, PreTrainedModel

from models.adapters.base import IGNORED, Shape
from models.encoder import load_writer, new_writer
from models.networks.base import Network, Wanted
from models.networks.generation import Generation, write
from models.schemas import AgentConfig


class Seq2SeqNetwork(Network):
    """Write an answer to each window.

    Args:
        language_model: A pretrained encoder-decoder.
        limits: How long answers are, and how they are searched.
    """

    writes = True

    def __init__(self, language_model: PreTrainedModel, limits: Generation) -> None:
        super().__init__()
        self.language_model, self.limits = language_model, limits

    @property
    def wants(self) -> tuple[Wanted, ...]:
        """Name the sub-words, what pads, and the answers to learn."""
        return ("input_ids", "attention_mask", "labels")

    @property
    def pretrained(self) -> PreTrainedModel:
        """Give the whole of it."""
        return self.language_model

    @classmethod
    def build(cls, config: AgentConfig, shape: Shape) -> Self:
        """Load the config's model.

        Raises:
            ConfigError: It can not be loaded, or is no seq2seq model.
        """
        del shape
        return cls(load_writer(config.encoder, AutoModelForSeq2SeqLM, "seq2seq"), Generation.of(config))

    @classmethod
    def blank(cls, config: AgentConfig, shape: Shape, folder: str) -> Self:
        """Make the model that a folder's config.json describes."""
        del shape
        return cls(new_writer(folder, AutoModelForSeq2SeqLM), Generation.of(config))

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """Score the sub-words that are to be written, each after the true ones before it.

        Args:
            input_ids: (batch, length).
            attention_mask: (batch, length), 0 at padding; None where nothing is padded.
            labels: (batch, longest) ids to write, IGNORED as padding.

        Returns:
            (sub-words to write, vocabulary).
        """
        if labels is None:
            raise TypeError("A seq2seq network scores answers, so it needs labels.")
        model: Any = self.language_model
        counts = labels != IGNORED
        padded = labels.masked_fill(~counts, model.config.pad_token_id)
        before = model.prepare_decoder_input_ids_from_labels(labels=padded)
        scores: Tensor = model(
            input_ids=input_ids, attention_mask=attention_mask, decoder_input_ids=before, use_cache=False
        ).logits
        return scores[counts]

    def reseed(self, seed: int) -> None:
        """Sample otherwise from now on."""
        self.limits = replace(self.limits, seed=seed)

    def answers(self, inputs: Mapping[str, Tensor], lengths: np.ndarray) -> list[np.ndarray]:
        """Write an answer to each window: ids and log-probabilities, (2, written)."""
        del lengths
        return write(self.language_model, inputs, int(self.language_model.config.pad_token_id), self.limits)
