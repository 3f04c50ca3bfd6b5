"""An encoder cut in two: what lies below the lowest learned layer runs once, what lies above is learned.

A stack that can not be run layer by layer, as some architectures pass more than hidden states and a mask
between layers, is refused; `meta_layers: all` needs no cut.
"""

import copy
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from models.errors import ConfigError
from models.meta.packing import Packing, located
from models.training.optimizer import encoder_layers

_TOLERANCE = 1e-4


class Readout(Protocol):
    """What is read off the last hidden states."""

    def __call__(self, hidden: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
        """Give (items, dim) from hidden (rows, length, width), mask (rows, length), marks (rows, marks)."""


class UpperBody(nn.Module):
    """The top layers of an encoder, from the hidden states below them to features."""

    def __init__(self, layers: nn.ModuleList, readout: Readout) -> None:
        super().__init__()
        self.layers, self.readout = layers, readout

    def forward(self, hidden: Tensor, mask: Tensor, marks: Tensor, *packing: Tensor) -> Tensor:
        """Give features of rows that stand end to end in few sequences.

        Args:
            hidden: (sequences, length, width) hidden states below.
            mask: (rows, longest), 0 at padding.
            marks: (rows, marks) positions within each row.
            packing: Where the rows stand, `Packing.inputs`.
        """
        segments, places, sequences, rows = packing
        blocked = apart(segments, hidden.dtype)
        for layer in self.layers:
            hidden = layer(hidden, attention_mask=blocked)
        found = hidden.flatten(0, 1)[located(places, sequences, rows, hidden.shape[1])]
        return self.readout(found, mask, marks)


class WholeBody(nn.Module):
    """A whole encoder, from sub-words to features."""

    def __init__(self, encoder: PreTrainedModel, readout: Readout) -> None:
        super().__init__()
        self.encoder, self.readout = encoder, readout

    def forward(self, input_ids: Tensor, mask: Tensor, marks: Tensor) -> Tensor:
        """Give features of input_ids (rows, length)."""
        hidden = self.encoder(input_ids=input_ids, attention_mask=additive(mask)).last_hidden_state
        return self.readout(hidden, mask, marks)


def additive(mask: Tensor) -> Tensor:
    """Turn a mask (rows, length), 0 at padding, into what is added to attention scores, (rows, 1, 1, length).

    Made here, since transformers makes it in a way that `torch.func.vmap` can not follow.
    """
    return (1 - mask)[:, None, None, :] * torch.finfo(mask.dtype).min


def apart(segments: Tensor, kind: torch.dtype) -> Tensor:
    """Give what keeps rows apart, (sequences, 1, length, length), to be added to attention scores.

    Args:
        segments: (sequences, length) row of each state.
        kind: Type of the scores.
    """
    others = segments[:, None, :, None] != segments[:, None, None, :]
    return others.to(kind) * torch.finfo(kind).min


def cut(encoder: PreTrainedModel, layers: int) -> tuple[PreTrainedModel, nn.ModuleList]:
    """Give the encoder below its top layers, and those layers; weights are shared, not copied.

    Args:
        encoder: In evaluation mode.
        layers: How many layers from the top are cut off.

    Raises:
        ConfigError: There are fewer layers, or the parts do not make up the whole.
    """
    stack = encoder_layers(encoder)
    if not 0 < layers <= len(stack):
        raise ConfigError(
            f"meta_layers is {layers}; the encoder has {len(stack)} layers. Name 1 to {len(stack)}, or all."
        )
    top = nn.ModuleList(list(stack)[len(stack) - layers :])
    below = _without_top(encoder, stack, layers)
    _check(encoder, below, top)
    return below, top


def _without_top(encoder: PreTrainedModel, stack: nn.ModuleList, layers: int) -> PreTrainedModel:
    name = next(name for name, module in encoder.named_modules() if module is stack)
    kept = nn.ModuleList(list(stack)[: len(stack) - layers])
    # Tensors keep their identity in this copy, and the layers above are not copied at all.
    memo: dict[int, Any] = {id(stack): kept}
    memo |= {id(tensor): tensor for tensor in (*encoder.parameters(), *encoder.buffers())}
    below: PreTrainedModel = copy.deepcopy(encoder, memo)
    found = below.get_submodule(name)
    if found is not kept:
        below.set_submodule(name, kept)
    return below


@torch.no_grad()
def _check(encoder: PreTrainedModel, below: nn.Module, top: nn.ModuleList) -> None:
    """See that both parts are the whole, and that the upper one does not mind where a row stands."""
    lengths = np.array([6, 4])
    longest = int(lengths.max())
    packing = Packing.of(lengths, int(lengths.sum()))
    inside = torch.from_numpy(np.arange(longest) < lengths[:, None]).to(encoder.device)
    mask = inside.float()
    ids = torch.arange(inside.numel(), device=encoder.device) % int(encoder.config.vocab_size)
    ids = ids.reshape(inside.shape)
    whole = encoder(input_ids=ids, attention_mask=additive(mask)).last_hidden_state
    segments, places, *begins = (x.to(encoder.device) for x in packing.inputs)
    places = places[:, :longest]
    body = UpperBody(top, lambda hidden, mask, marks: hidden)  # noqa: ARG005 - a readout's arguments
    try:
        hidden = below(input_ids=ids, attention_mask=additive(mask)).last_hidden_state
        packed = hidden.new_zeros(segments.numel(), hidden.shape[-1])
        packed[places[inside]] = hidden[inside]
        found = body(packed.reshape(*segments.shape, -1), mask, mask, segments, places, *begins)
    except (TypeError, AttributeError, LookupError, RuntimeError, ValueError) as error:
        raise _refusal(encoder) from error
    if (found - whole)[inside].abs().max() > _TOLERANCE:
        raise _refusal(encoder)


def _refusal(encoder: PreTrainedModel) -> ConfigError:
    return ConfigError(
        f"An encoder of architecture {encoder.config.model_type} can not be run layer by layer, so its lower "
        "layers can not be kept. Learn all of it (meta_layers: all), or name a BERT, RoBERTa or DistilBERT."
    )
