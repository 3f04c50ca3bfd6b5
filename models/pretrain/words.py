"""Which sub-words begin a word, and which are special: told by a table over the vocabulary."""

import json
from dataclasses import dataclass
from typing import Self

import numpy as np
from transformers import PreTrainedTokenizerBase

_MARKS = ("Ġ", "▁")
"""What byte-level and SentencePiece vocabularies put before a sub-word that follows a blank."""


@dataclass(frozen=True)
class WordTable:
    """What whole-word masking needs to know of a vocabulary.

    Args:
        begins: (vocabulary,) bool, sub-words that begin a word; the first of a text does in any case.
        special: (vocabulary,) bool, sub-words that are no text.
        plain: (plain sub-words,) int64, all that are text.
    """

    begins: np.ndarray
    special: np.ndarray
    plain: np.ndarray

    @classmethod
    def of(cls, tokenizer: PreTrainedTokenizerBase) -> Self:
        """Read a fast tokenizer's vocabulary.

        WordPiece marks what goes on (`##`); the others mark what begins. A vocabulary without either mark
        has words of one sub-word each.
        """
        words = tokenizer.convert_ids_to_tokens(list(range(len(tokenizer))))
        model = json.loads(tokenizer.backend_tokenizer.to_str())["model"]
        prefix = model.get("continuing_subword_prefix") or ""
        if prefix:
            begins = np.array([not word.startswith(prefix) for word in words], bool)
        else:
            begins = np.array([word.startswith(_MARKS) for word in words], bool)
        special = np.zeros(len(words), bool)
        special[tokenizer.all_special_ids] = True
        if not begins[~special].any():
            begins[:] = True
        return cls(begins | special, special, np.flatnonzero(~special))

    def words(self, ids: np.ndarray, first: np.ndarray) -> np.ndarray:
        """Number the words of sub-words that stand end to end, counting from 0.

        Args:
            ids: (total,) sub-words.
            first: (total,) bool, where a text begins.

        Returns:
            (total,) the word that each belongs to; a special sub-word is one of its own.
        """
        special = self.special[ids]
        begins = self.begins[ids] | first
        begins[1:] |= special[:-1]
        words: np.ndarray = np.cumsum(begins) - 1
        return words
