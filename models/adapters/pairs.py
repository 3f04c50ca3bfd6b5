"""A question and a long passage, cut into windows that each hold the question and a part of the passage."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from models.errors import ConfigError
from models.ragged import Ragged
from models.schemas import AgentConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class PairWindows:
    """What the tokenizer made of some rows.

    Args:
        ids: Sub-words of each window, special ones included.
        rows: (windows,) the row each window comes from, ascending.
        starts: (total,) where in its passage a sub-word begins, in characters; -1 outside of the passage.
        ends: (total,) where it ends; -1 outside of the passage.
        cut: How many questions were cut at half of `max_length`.
    """

    ids: Ragged
    rows: np.ndarray
    starts: np.ndarray
    ends: np.ndarray
    cut: int


def cut_pairs(
    questions: Sequence[str],
    passages: Sequence[str],
    tokenizer: "PreTrainedTokenizerBase",
    config: AgentConfig,
) -> PairWindows:
    """Tokenize pairs into windows of at most `max_length` sub-words; special tokens in texts are plain text.

    Raises:
        ConfigError: The stride leaves no room to move beside the longest question.
    """
    if not questions:
        nothing = np.empty(0, np.int64)
        return PairWindows(Ragged(nothing, np.zeros(1, np.int64)), nothing, nothing, nothing, 0)
    room = config.max_length // 2 - tokenizer.num_special_tokens_to_add(pair=True)
    if config.stride >= room:
        raise ConfigError(
            f"stride is {config.stride}; beside a question a window has room for {room} sub-words of the "
            "passage at least, and stride must be below that. Lower stride or raise max_length."
        )
    short, cut = _shortened(questions, tokenizer, config.max_length // 2)
    batch: Any = tokenizer(
        short,
        list(passages),
        truncation="only_second",
        max_length=config.max_length,
        stride=config.stride,
        return_overflowing_tokens=True,
        return_offsets_mapping=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        split_special_tokens=True,
    )
    lengths = np.fromiter(map(len, batch["input_ids"]), np.int64)
    ids = Ragged.from_lengths(np.concatenate([np.array(x, np.int64) for x in batch["input_ids"]]), lengths)
    offsets = np.concatenate([np.array(x, np.int64).reshape(-1, 2) for x in batch["offset_mapping"]])
    inside = np.concatenate([np.array(x.sequence_ids, float) == 1 for x in batch.encodings])
    starts, ends = (np.where(inside, column, -1) for column in offsets.T)
    return PairWindows(ids, np.array(batch["overflow_to_sample_mapping"], np.int64), starts, ends, cut)


def _shortened(
    texts: Sequence[str], tokenizer: "PreTrainedTokenizerBase", most: int
) -> tuple[list[str], int]:
    """Cut texts of more than so many sub-words."""
    found: Any = tokenizer(list(texts), add_special_tokens=False, return_offsets_mapping=True)
    long = [i for i, ids in enumerate(found["input_ids"]) if len(ids) > most]
    short = list(texts)
    for i in long:
        short[i] = short[i][: found["offset_mapping"][i][most - 1][1]]
    return short, len(long)
