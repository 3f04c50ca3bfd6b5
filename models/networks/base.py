"""What every network does; one subclass a file, listed in `models/networks/__init__.py`.

A network holds weights and knows nothing of rows: what its scores mean is the adapter's.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

import numpy as np
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.adapters.base import Shape
from models.schemas import AgentConfig
from models.tuning.bases import BaseRef

Wanted = Literal["input_ids", "attention_mask", "marks", "labels"]


class Network(nn.Module, ABC):
    """A pretrained model and what a task puts on top of it."""

    base: BaseRef | None = None
    """The weights that it is tuned on; None if its own are whole."""

    writes: ClassVar[bool] = False
    """Whether its answers are sub-words that it writes, and not scores of those that it reads."""

    pads_left: ClassVar[bool] = False
    """Whether shorter windows are filled up before their beginning, so that all end at one place."""

    @property
    @abstractmethod
    def wants(self) -> tuple[Wanted, ...]:
        """Name what of a batch `forward` takes."""

    @property
    @abstractmethod
    def pretrained(self) -> PreTrainedModel:
        """Give the pretrained model; every parameter outside it is the head's."""

    @classmethod
    @abstractmethod
    def build(cls, config: AgentConfig, shape: Shape) -> Self:
        """Make the network of an agent from pretrained weights; the head starts from the config's seed.

        Raises:
            ConfigError: The weights can not be loaded.
        """

    @classmethod
    @abstractmethod
    def blank(cls, config: AgentConfig, shape: Shape, folder: str) -> Self:
        """Make a network whose weights are yet to be loaded; a folder holds the pretrained model's config."""

    def shift(self, scores: np.ndarray) -> None:
        """Add to each output's score from now on.

        Args:
            scores: (outputs,) what to add.

        Raises:
            TypeError: The network writes, so there is nothing to add to.
        """
        raise TypeError(f"{type(self).__name__} has no scores that {len(scores)} shifts could be added to.")

    def reseed(self, seed: int) -> None:
        """Draw otherwise from now on, where answers are sampled; by default nothing is drawn."""
        del seed

    @abstractmethod
    def answers(self, inputs: Mapping[str, Tensor], lengths: np.ndarray) -> list[np.ndarray]:
        """Answer a padded batch without labels, one array a window.

        Args:
            inputs: What `forward` takes, apart from labels.
            lengths: (windows,) sub-words of each window without padding.

        Returns:
            float32 scores, (outputs,) or (length, outputs); or float64 (2, written): the ids of the sub-words
            that were written, and their log-probabilities.
        """
