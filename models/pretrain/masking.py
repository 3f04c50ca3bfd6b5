"""Whole-word masking, for many texts at once; fresh masks to learn from, fixed ones to be judged by."""

import numpy as np

from models.pretrain.words import WordTable
from models.ragged import Ragged

_MASKED, _RANDOM = 0.8, 0.9


def choose_words(ids: Ragged, table: WordTable, share: float, rng: np.random.Generator) -> np.ndarray:
    """Choose each word with the same chance, all its sub-words together.

    Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019, arXiv:1810.04805, and the
    whole-word variant of its published code. There exactly 15 % of a block are chosen; here each word has the
    chance, so that a batch needs no loop over blocks.

    Args:
        ids: Sub-words of texts or blocks.
        table: Of the vocabulary.
        share: Chance of a word (fraction, 0-1).
        rng: Draws the words.

    Returns:
        (total,) bool over `ids.values`; special sub-words are never chosen.
    """
    words = table.words(ids.values, ids.places == 0)
    drawn = rng.random(int(words[-1]) + 1 if len(words) else 0) < share
    chosen: np.ndarray = drawn[words] & ~table.special[ids.values]
    return chosen


def replaced(ids: np.ndarray, mask_id: int, table: WordTable, rng: np.random.Generator) -> np.ndarray:
    """Replace chosen sub-words: 80 % by the mask, 10 % by any other, 10 % stay (Devlin et al., appendix A.1).

    Args:
        ids: (chosen,) the sub-words.
        mask_id: The mask.
        table: Of the vocabulary.
        rng: Draws what becomes of each.
    """
    fate = rng.random(len(ids))
    others = table.plain[rng.integers(0, len(table.plain), len(ids))]
    return np.where(fate < _MASKED, mask_id, np.where(fate < _RANDOM, others, ids))


def folds_of_words(ids: Ragged, table: WordTable, folds: int, rng: np.random.Generator) -> np.ndarray:
    """Share each text's words out to folds, so that each word is masked in one pass and seen in the others.

    With as many folds as words this is the pseudo-log-likelihood of Salazar et al., "Masked Language Model
    Scoring", 2020, arXiv:1910.14659, over words; with few it costs few passes.

    Args:
        ids: Sub-words of texts.
        table: Of the vocabulary.
        folds: Passes.
        rng: Draws which word is in which fold.

    Returns:
        (total,) the fold of each sub-word, -1 for special ones.
    """
    words = table.words(ids.values, ids.places == 0)
    if not len(words):
        return words
    text = np.empty(int(words[-1]) + 1, np.int64)
    text[words] = ids.owners
    order = np.lexsort((rng.random(len(text)), text))
    place = np.empty(len(text), np.int64)
    place[order] = np.arange(len(text)) - np.searchsorted(text, text)
    found: np.ndarray = np.where(table.special[ids.values], -1, (place % folds)[words])
    return found
