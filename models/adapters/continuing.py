"""What adapters that go on where a chat ends have in common: prompts from a template, replies to learn."""

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
import pyarrow as pa

from models.adapters.base import IGNORED
from models.adapters.chat import messages, newest, rendered
from models.adapters.writing import Counts, Writing
from models.ragged import Ragged
from models.schemas.families import Family

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase


class Continuing(Writing):
    """Reply to chats with a causal model; only the replies are learned."""

    family: ClassVar[Family] = "causal"

    @abstractmethod
    def chats(self, rows: pa.Table) -> list[Sequence[str]]:
        """Give the turns of each row, the last by the user."""

    @property
    def longest(self) -> int:
        """Count the reply in, which stands in the same window."""
        return self.config.max_length + self.config.max_new_tokens

    def read(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ragged, Counts]:
        """Tokenize chats; one that is too long loses its oldest turns, and its only turn's beginning."""
        chats, most = self.chats(rows), self.config.max_length

        def tokenized(chosen: np.ndarray, first: np.ndarray) -> list[list[int]]:
            pairs = zip(chosen.tolist(), first.tolist(), strict=True)
            asked = [messages(chats[row][begin:], self.config.instruction) for row, begin in pairs]
            return _tokenized(rendered(asked, tokenizer), tokenizer)

        found, first = newest(np.array([len(turns) for turns in chats], np.int64), tokenized, most)
        counts = {
            "oldest turns left out": int((first > 0).sum()),
            "input cut at max_length": sum(len(ids) > most for ids in found),
        }
        return Ragged.from_lists([ids[-most:] for ids in found]), counts

    def learned(self, rows: pa.Table, tokenizer: "PreTrainedTokenizerBase") -> tuple[Ragged, Counts]:
        """Tokenize the replies, with what ends a turn behind each."""
        most, end = self.config.max_new_tokens, [int(tokenizer.eos_token_id or 0)]
        replies = _tokenized(self.targets(rows), tokenizer)
        counts = {"target cut at max_new_tokens": sum(len(ids) >= most for ids in replies)}
        return Ragged.from_lists([[*ids[: most - 1], *end] for ids in replies]), counts

    def laid_out(self, read: Ragged, learned: Ragged) -> tuple[Ragged, Ragged]:
        """Put each reply behind its chat, whose own sub-words are not learned."""
        unlearned = Ragged(np.full(len(read.values), IGNORED), read.offsets)
        inputs = read.followed_by(learned)
        return inputs, unlearned.followed_by(learned) if len(learned.values) else learned


def _tokenized(texts: list[str], tokenizer: "PreTrainedTokenizerBase") -> list[list[int]]:
    """Give the sub-words of texts that hold their special ones already, or need none."""
    if not texts:
        return []
    ids: list[list[int]] = tokenizer(
        texts, add_special_tokens=False, return_attention_mask=False, verbose=False
    )["input_ids"]
    return ids
