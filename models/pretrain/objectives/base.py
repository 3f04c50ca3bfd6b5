"""What every objective does; one subclass a file, listed in `models/pretrain/objectives/__init__.py`.

An objective chooses which sub-words are targets, makes batches of that, and gives the loss of each target.
Which texts there are, and the training loop, are elsewhere.
"""

from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.adapters.base import IGNORED
from models.batching import Batch
from models.errors import ConfigError
from models.ragged import Ragged
from models.schemas.pretrain import PretrainConfig

LOGITS_AT_ONCE = 1 << 26
"""Most logits in memory at once (256 MB in float32, and as much again for what is made of them)."""


class Objective(ABC):
    """The contract of an objective.

    Args:
        config: Shares and lengths.
        tokenizer: The model's.
    """

    specials: ClassVar[int] = 0
    """Special sub-words that a block gains when it becomes an input."""

    def __init__(self, config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        self.config = config
        self.pad_id = int(tokenizer.pad_token_id)
        self.separator = int(self._separator(tokenizer))

    @property
    def body_length(self) -> int:
        """Give the sub-words of a block without the special ones that it gains."""
        return self.config.block_length - self.specials

    @property
    def passes(self) -> int:
        """Give how often a text goes through the model to be judged."""
        return 1

    @property
    def target_share(self) -> float:
        """Give about how many targets there are for each sub-word of an input."""
        return self.config.masking_share

    def tokens_at_once(self, vocabulary: int) -> int:
        """Give how many sub-words may go through the model together, for the logits to fit into memory."""
        return max(1, int(LOGITS_AT_ONCE / (vocabulary * self.target_share)))

    def framed(self, ids: Ragged) -> Ragged:
        """Give texts as they are judged: here as they are."""
        return ids

    @abstractmethod
    def choose(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Choose what is learned from blocks: (total,) bool."""

    @abstractmethod
    def folds(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Choose the pass in which each sub-word of texts is predicted: (total,), -1 for none."""

    @abstractmethod
    def batch(self, ids: Ragged, chosen: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        """Make a batch.

        Args:
            ids: Sub-words of blocks or texts.
            chosen: (total,) bool, what is predicted of them.
            rng: Draws what stands in the place of masked words; none masks every one.

        Returns:
            Labels are IGNORED where nothing is predicted.
        """

    @abstractmethod
    def losses(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Give the negative log-likelihood of each label that is not IGNORED, in their order: (targets,)."""

    def counted(self, labels: np.ndarray) -> np.ndarray:
        """Tell which labels count when a text is judged."""
        counted: np.ndarray = labels != IGNORED
        return counted

    def _separator(self, tokenizer: PreTrainedTokenizerBase) -> int:
        return needed(tokenizer, "eos_token", self.config.objective)


def cross_entropy(logits: Tensor, targets: Tensor) -> Tensor:
    """Give the negative log-likelihood of each target, (targets,), in float32."""
    return functional.cross_entropy(logits.float(), targets, reduction="none")


def padded_batch(inputs: Ragged, labels: Ragged, pad_id: int) -> Batch:
    """Pad inputs and labels, each to its own longest."""
    everyone = np.arange(len(inputs.lengths))
    shown, wanted = inputs.padded(everyone, pad_id), labels.padded(everyone, IGNORED)
    inside = np.arange(shown.shape[1]) < inputs.lengths[:, None]
    return Batch(
        torch.from_numpy(shown),
        None if inside.all() else torch.from_numpy(inside.astype(np.int64)),
        torch.from_numpy(wanted),
        int(inside.sum()),
        int((wanted != IGNORED).sum()),
    )


def needed(tokenizer: PreTrainedTokenizerBase, name: str, objective: str) -> int:
    """Give the id of a special sub-word.

    Raises:
        ConfigError: The tokenizer has none.
    """
    token = getattr(tokenizer, name)
    if token is None:
        raise ConfigError(
            f"{objective} needs a {name} and the tokenizer of {tokenizer.name_or_path!r} has none. Name "
            "another encoder, or another objective."
        )
    place: Any = tokenizer.convert_tokens_to_ids(token)
    return int(place)
