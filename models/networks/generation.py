"""How answers are written, sub-word by sub-word, by transformers' own search and sampling."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel

from models.schemas import AgentConfig

_MOST_SCORES = 1 << 27
"""Scores of all sub-words that are kept at once while writing: half a gigabyte."""


@dataclass(frozen=True)
class Generation:
    """Limits on what is written, and the way it is searched.

    Args:
        max_new_tokens: Most sub-words of an answer.
        beams: Beams of the search.
        temperature: Samples at this temperature; None takes the likeliest.
        top_p: Samples from the likeliest sub-words of this share.
        seconds: Time for a batch; None sets no limit.
        seed: Seed of the sampling.
    """

    max_new_tokens: int
    beams: int = 1
    temperature: float | None = None
    top_p: float = 1.0
    seconds: float | None = None
    seed: int = 0

    @classmethod
    def of(cls, config: AgentConfig) -> "Generation":
        """Read them from an agent's description."""
        return cls(
            config.max_new_tokens,
            config.beams,
            config.temperature,
            config.top_p,
            config.generation_seconds,
            config.seed,
        )

    def options(self) -> dict[str, Any]:
        """Say it in the words of `generate`."""
        sampling = {"do_sample": True, "temperature": self.temperature, "top_p": self.top_p, "top_k": 0}
        limits = {"max_new_tokens": self.max_new_tokens, "max_time": self.seconds, "num_beams": self.beams}
        return limits | (sampling if self.temperature is not None else {"do_sample": False})


def write(
    model: PreTrainedModel, inputs: Mapping[str, Tensor], pad_id: int, limits: Generation
) -> list[np.ndarray]:
    """Have a model write an answer to each window of a padded batch.

    Args:
        model: A seq2seq or causal model in evaluation mode.
        inputs: `input_ids` (windows, length), and `attention_mask` where one of them is padded.
        pad_id: Sub-word that pads.
        limits: How long, and how.

    Returns:
        (2, written) float64 a window: ids and log-probabilities, without what follows the end.
    """
    found: list[np.ndarray] = []
    with torch.random.fork_rng(range(torch.cuda.device_count())):
        torch.manual_seed(limits.seed)
        for part in _parts(inputs, limits, int(model.config.vocab_size)):
            found += _write(model, part, pad_id, limits)
    return found


def _parts(inputs: Mapping[str, Tensor], limits: Generation, vocabulary: int) -> Iterator[dict[str, Tensor]]:
    rows = len(inputs["input_ids"])
    size = max(1, _MOST_SCORES // (limits.max_new_tokens * vocabulary * limits.beams))
    for first in range(0, rows, size):
        yield {name: one[first : first + size] for name, one in inputs.items()}


def _write(
    model: PreTrainedModel, inputs: dict[str, Tensor], pad_id: int, limits: Generation
) -> list[np.ndarray]:
    generate: Any = model.generate
    out = generate(
        **inputs, **limits.options(), pad_token_id=pad_id, return_dict_in_generate=True, output_scores=True
    )
    read = 1 if model.config.is_encoder_decoder else inputs["input_ids"].shape[1]
    written = out.sequences[:, read:]
    scores: Any = model.compute_transition_scores
    chances = scores(out.sequences, out.scores, getattr(out, "beam_indices", None), normalize_logits=True)
    chances = chances.double().cpu()[:, : written.shape[1]]
    ends = _ends(written, model.generation_config.eos_token_id)
    both = torch.stack([written.double().cpu(), chances], dim=1).numpy()
    return [one[:, :end] for one, end in zip(both, ends, strict=True)]


def _ends(written: Tensor, ends: int | list[int] | None) -> list[int]:
    """Count each answer's sub-words up to the first that ends it."""
    if ends is None:
        return [written.shape[1]] * len(written)
    over = torch.isin(written.cpu(), torch.tensor(ends))
    first = torch.where(over.any(1), over.int().argmax(1), written.shape[1])
    found: list[int] = first.tolist()
    return found
