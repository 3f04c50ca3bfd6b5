"""What the networks that write have in common: a pretrained language model, and limits on what it writes."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar, Self

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel

from models.adapters.base import Shape
from models.encoder import load_writer, new_writer
from models.networks.base import Network, Wanted
from models.networks.generation import Generation, write
from models.schemas import AgentConfig
from models.schemas.families import Family


class WritingNetwork(Network):
    """Write an answer to each window.

    Args:
        language_model: A pretrained model with the head that writes.
        limits: How long answers are, and how they are searched.
    """

    writes = True
    family: ClassVar[Family]
    auto: ClassVar[Any]
    """The class of transformers that makes such models."""

    def __init__(self, language_model: PreTrainedModel, limits: Generation) -> None:
        super().__init__()
        self.language_model, self.limits = language_model, limits

    @property
    def wants(self) -> tuple[Wanted, ...]:
        """Name the sub-words, what pads, and those that are to be learned."""
        return ("input_ids", "attention_mask", "labels")

    @property
    def pretrained(self) -> PreTrainedModel:
        """Give the whole of it."""
        return self.language_model

    @classmethod
    def build(cls, config: AgentConfig, shape: Shape) -> Self:
        """Load the config's model.

        Raises:
            ConfigError: It can not be loaded, or is of another kind.
        """
        del shape
        return cls(load_writer(config.encoder, cls.auto, cls.family), Generation.of(config))

    @classmethod
    def blank(cls, config: AgentConfig, shape: Shape, folder: str) -> Self:
        """Make the model that a folder's config.json describes."""
        del shape
        return cls(new_writer(folder, cls.auto), Generation.of(config))

    def reseed(self, seed: int) -> None:
        """Sample otherwise from now on."""
        self.limits = replace(self.limits, seed=seed)

    def answers(self, inputs: Mapping[str, Tensor], lengths: np.ndarray) -> list[np.ndarray]:
        """Write an answer to each window: ids and log-probabilities, (2, written)."""
        del lengths
        pad = self.language_model.config.pad_token_id
        end = self.language_model.generation_config.eos_token_id
        return write(
            self.language_model, inputs, int(np.atleast_1d(end if pad is None else pad)[0]), self.limits
        )
