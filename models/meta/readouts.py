"""What is read off an encoder's last hidden states, one way for each task type; features have length 1."""

import torch
from torch import Tensor
from torch.nn import functional

from models.episodes import Kind
from models.meta.cut import Readout


def pooled(hidden: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
    """Average each row over what is not padding: (rows, width)."""
    del marks
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    mean = (hidden * weights).sum(-2) / weights.sum(-2).clamp(min=1)
    return functional.normalize(mean, dim=-1)


def tokens(hidden: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
    """Give every sub-word of every row: (rows * length, width)."""
    del mask, marks
    return functional.normalize(hidden.flatten(0, 1), dim=-1)


def marked(hidden: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
    """Join the states at the marks: (rows, marks * width).

    Baldini Soares et al., "Matching the Blanks", 2019, arXiv:1906.03158, sec. 3.2: entity start states.
    """
    del mask
    places = marks.unsqueeze(-1).expand(-1, -1, hidden.shape[-1])
    return functional.normalize(torch.gather(hidden, 1, places).flatten(1), dim=-1)


READOUTS: dict[Kind, Readout] = {
    "text_classification": pooled,
    "token_classification": tokens,
    "relation_classification": marked,
}
MARKS = 2
"""Marked places of a relation's row: where its two entities begin."""
