"""Long inputs as overlapping windows of sub-words, for whole texts and for lists of words alike."""

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from models.errors import ConfigError
from models.ragged import Ragged
from models.schemas import AgentConfig

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


@dataclass(frozen=True)
class Windows:
    """What the tokenizer made of some rows.

    Args:
        ids: Sub-words of each window, special ones included.
        words: (total,) index of the word in its row that a sub-word belongs to; -1 for special ones.
        rows: (windows,) the row each window comes from, ascending.
        starts: (total,) bool, True at a word's first sub-word.
    """

    ids: Ragged
    words: np.ndarray
    rows: np.ndarray
    starts: np.ndarray


def cut_windows(
    inputs: list[str] | list[list[str]], tokenizer: "PreTrainedTokenizerBase", config: AgentConfig
) -> Windows:
    """Tokenize texts, or lists of words, into windows of at most `max_length` sub-words.

    Special tokens that stand in the text as characters (`[SEP]`) are read as plain text.

    Raises:
        ConfigError: The stride leaves no room to move beside the tokenizer's special tokens.
    """
    if not inputs:
        nothing = np.empty(0, dtype=np.int64)
        return Windows(Ragged(nothing, np.zeros(1, np.int64)), nothing, nothing, nothing.astype(bool))
    room = _room(tokenizer, config)
    batch: Any = tokenizer(
        inputs,
        is_split_into_words=not isinstance(inputs[0], str),
        truncation=True,
        max_length=config.max_length,
        stride=config.stride,
        return_overflowing_tokens=True,
        return_attention_mask=False,
        return_token_type_ids=False,
        split_special_tokens=True,
    )
    lengths = np.fromiter(map(len, batch["input_ids"]), np.int64)
    ids = Ragged.from_lengths(_flat(batch["input_ids"]), lengths)
    words = _flat(encoding.word_ids for encoding in batch.encodings)
    rows = np.asarray(batch["overflow_to_sample_mapping"], dtype=np.int64)
    return Windows(ids, words, rows, _word_starts(words, ids, rows, step=room - config.stride))


def _room(tokenizer: "PreTrainedTokenizerBase", config: AgentConfig) -> int:
    special = tokenizer.num_special_tokens_to_add()
    room = config.max_length - special
    if config.stride >= room:
        raise ConfigError(
            f"stride is {config.stride}; with {special} special tokens a window it must be below "
            f"max_length - {special} = {room}. Lower stride or raise max_length."
        )
    return room


def _flat(sequences: Iterable[list[int | None]]) -> np.ndarray:
    values = pa.array(list(chain.from_iterable(sequences)), pa.int32())
    filled: np.ndarray = values.fill_null(-1).to_numpy(zero_copy_only=False)
    return filled


def _word_starts(words: np.ndarray, ids: Ragged, rows: np.ndarray, step: int) -> np.ndarray:
    """Mark each word's first sub-word, also where a window begins in the middle of a word.

    A sub-word starts a word if the one before it belongs to another. For the first of a window that one
    is in the window before: `step` sub-words on from that window's own first.
    """
    inside = words >= 0
    before = np.concatenate([[-1], words[:-1]])
    before[ids.offsets[:-1]] = -1
    first = np.flatnonzero(inside & (before < 0))
    windows = ids.owners[first]
    follows = np.zeros(len(first), dtype=bool)
    follows[1:] = (rows[windows[1:]] == rows[windows[:-1]]) & (windows[1:] == windows[:-1] + 1)
    later = np.flatnonzero(follows)
    before[first[later]] = words[first[later - 1] + step - 1]
    marks: np.ndarray = inside & (words != before)
    return marks
