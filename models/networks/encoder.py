"""An encoder with a linear head: scores of windows, or of their sub-words."""

from collections.abc import Mapping
from typing import Self

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AutoConfig, PreTrainedModel

from models.adapters.base import Shape
from models.encoder import load_encoder_model, new_encoder
from models.networks.base import Network, Wanted
from models.schemas import AgentConfig

_HEAD_STD = 0.02


class EncoderNetwork(Network):
    """Score windows, or their sub-words, for one task.

    Args:
        encoder: Gives `last_hidden_state` (batch, length, dim).
        shape: What is read off it, and the size of the head.
        unit: Whether features are scaled to length 1 before the head.
    """

    def __init__(self, encoder: PreTrainedModel, shape: Shape, unit: bool = False) -> None:
        super().__init__()
        self.encoder = encoder
        self.dropout = nn.Dropout(float(getattr(encoder.config, "hidden_dropout_prob", 0.1)))
        width = encoder.config.hidden_size * max(1, shape.marks)
        self.head = nn.Linear(width, shape.outputs, device="meta").to_empty(device="cpu")
        self.shape, self.unit = shape, unit

    @property
    def wants(self) -> tuple[Wanted, ...]:
        """Name the sub-words, what pads, and the marks where there are some."""
        read: tuple[Wanted, ...] = ("input_ids", "attention_mask")
        return (*read, "marks") if self.shape.marks else read

    @property
    def pretrained(self) -> PreTrainedModel:
        """Give the encoder."""
        return self.encoder

    @classmethod
    def build(cls, config: AgentConfig, shape: Shape) -> Self:
        """Put a fresh head on the config's encoder.

        Raises:
            ConfigError: The encoder can not be loaded.
        """
        network = cls(load_encoder_model(config.encoder), shape, config.unit_features)
        generator = torch.Generator().manual_seed(config.seed)
        nn.init.normal_(network.head.weight, std=_HEAD_STD, generator=generator)
        nn.init.zeros_(network.head.bias)
        if shape.constant is not None:
            nn.init.zeros_(network.head.weight.data[shape.constant])
        return network

    @classmethod
    def blank(cls, config: AgentConfig, shape: Shape, folder: str) -> Self:
        """Make the encoder that a folder's config.json describes, and a head."""
        encoder = new_encoder(AutoConfig.from_pretrained(folder, local_files_only=True))
        return cls(encoder, shape, config.unit_features)

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, marks: Tensor | None = None
    ) -> Tensor:
        """Score windows.

        Args:
            input_ids: (batch, length).
            attention_mask: (batch, length), 0 at padding; None where nothing is padded, which is faster.
            marks: (batch, marks) places of the marked sub-words, where the shape asks for some.

        Returns:
            (batch, outputs) if the shape pools, else (batch, length, outputs).
        """
        hidden = self.encoder(input_ids=input_ids, attention_mask=attention_mask).last_hidden_state
        if marks is not None:
            hidden = marked(hidden, marks)
        elif self.shape.pools:
            hidden = mean_pool(hidden, attention_mask)
        if self.unit:
            hidden = nn.functional.normalize(hidden, dim=-1)
        scores: Tensor = self.head(self.dropout(hidden))
        return scores

    @torch.no_grad()
    def shift(self, scores: np.ndarray) -> None:
        """Add to the head's bias."""
        self.head.bias.add_(torch.as_tensor(scores).to(self.head.bias))

    def answers(self, inputs: Mapping[str, Tensor], lengths: np.ndarray) -> list[np.ndarray]:
        """Give float32 scores, without those of padding."""
        scores: np.ndarray = self(**inputs).float().cpu().numpy()
        if self.shape.pools:
            return list(scores)
        return [window[:length] for window, length in zip(scores, lengths, strict=True)]


def mean_pool(hidden: Tensor, attention_mask: Tensor | None) -> Tensor:
    """Average (batch, length, dim) over the positions that are not padding, to (batch, dim)."""
    if attention_mask is None:
        return hidden.mean(dim=1)
    mask = attention_mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * mask).sum(dim=1) / mask.sum(dim=1).clamp(min=1)


def marked(hidden: Tensor, marks: Tensor) -> Tensor:
    """Join the states of (batch, length, dim) at the marked places, to (batch, marks * dim).

    Baldini Soares et al., "Matching the Blanks", 2019, arXiv:1906.03158, sec. 3.2: entity start states.
    """
    places = marks.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
    return torch.gather(hidden, 1, places).flatten(1)
