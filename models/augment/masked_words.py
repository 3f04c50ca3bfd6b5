"""More texts by replacing words with what a masked language model holds likely in their place."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import numpy as np
import torch
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.augment.base import Augmenter, Teachers
from models.errors import ConfigError
from models.kernels import fast_linears
from models.pretrain.networks import LanguageModel, load_language_model
from models.pretrain.store import is_pretrained_start, load_pretrained_start
from models.schemas import AgentConfig

_BATCH = 32
_CANDIDATES = 10


class MaskedWords(Augmenter):
    """Mask words and draw others for them.

    Wu et al., "Conditional BERT Contextual Augmentation", 2019, arXiv:1812.06705, without its training on
    labels; a word is drawn from the ten likeliest that begin a word, by their probabilities, and is never
    the one that stood there. Only words of one sub-word are replaced.

    Args:
        model: A masked language model.
        tokenizer: Its fast tokenizer.
        share: Share of the words to replace (fraction, 0-1), one at least.
        max_length: Texts are read up to so many sub-words; what follows stays as it is.
    """

    def __init__(
        self, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, share: float, max_length: int
    ) -> None:
        self._model, self._tokenizer = model.train(False), tokenizer
        self._share, self._max_length = share, max_length
        self._words = _whole_words(tokenizer, int(model.config.vocab_size))

    @classmethod
    def make(cls, config: AgentConfig, teachers: Teachers) -> Self:
        """Load the masked language model.

        Raises:
            ConfigError: It can not be loaded, or has no head that predicts words.
        """
        place = Path(str(teachers.masked_lm))
        if is_pretrained_start(place):
            language = _of_start(place)
        else:
            language = _with_head(str(teachers.masked_lm), config.seed)
        positions = int(getattr(language.model.config, "max_position_embeddings", config.max_length))
        longest = min(config.max_length, positions, language.tokenizer.model_max_length)
        return cls(language.model, language.tokenizer, config.augment_share, longest)

    @torch.inference_mode()
    def rewrite(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        rng: np.random.Generator,
        show: Callable[[float], None] = lambda _: None,
    ) -> list[str]:
        """Replace words of each text, in batches of like length."""
        del classes
        order = np.argsort([-len(text) for text in texts], kind="stable")
        found = list(texts)
        with fast_linears(self._model):
            for first in range(0, len(order), _BATCH):
                batch = order[first : first + _BATCH]
                for i, text in zip(batch.tolist(), self._batch([texts[i] for i in batch], rng), strict=True):
                    found[i] = text
                show((first + len(batch)) / len(order))
        return found

    def _batch(self, texts: list[str], rng: np.random.Generator) -> list[str]:
        read: Any = self._tokenizer(
            texts,
            padding=True,
            truncation=True,
            max_length=self._max_length,
            return_tensors="pt",
            return_offsets_mapping=True,
        )
        offsets = read.pop("offset_mapping").numpy()
        chosen = self._choose(read, rng)
        ids = read["input_ids"].masked_fill(torch.from_numpy(chosen), int(self._tokenizer.mask_token_id))
        logits = self._model(input_ids=ids, attention_mask=read["attention_mask"]).logits
        rows, places = np.nonzero(chosen)
        drawn = self._draw(logits[rows, places], read["input_ids"][rows, places], rng)
        words = [str(self._tokenizer.decode([one])).strip() for one in drawn]
        return _replaced(texts, rows, offsets[rows, places], words)

    def _choose(self, read: Any, rng: np.random.Generator) -> np.ndarray:  # noqa: ANN401 - a tokenizer's batch
        """Choose words of one sub-word, (rows, length) bool: the share of each row's, one at least."""
        words = np.array([[-1 if w is None else w for w in one.word_ids] for one in read.encodings])
        alone = words >= 0
        alone[:, 1:] &= words[:, 1:] != words[:, :-1]
        alone[:, :-1] &= words[:, :-1] != words[:, 1:]
        alone &= self._words.numpy()[read["input_ids"].numpy()]
        wanted = np.maximum(1, np.rint(self._share * alone.sum(axis=1)))
        chance = np.where(alone, rng.random(alone.shape), 2.0)
        ranks = np.argsort(np.argsort(chance, axis=1), axis=1)
        chosen: np.ndarray = alone & (ranks < wanted[:, None])
        return chosen

    def _draw(self, logits: Tensor, stood: Tensor, rng: np.random.Generator) -> list[int]:
        """Draw a word for each place, (places, vocabulary) logits, but never the one that stood there."""
        scores = logits.float().masked_fill(~self._words, -torch.inf)
        scores[torch.arange(len(stood)), stood] = -torch.inf
        best, ids = scores.topk(min(_CANDIDATES, scores.shape[-1]))
        shares = best.softmax(-1).double().cumsum(-1).numpy()
        places = (rng.random(len(shares))[:, None] > shares).sum(axis=1).clip(max=shares.shape[1] - 1)
        drawn: list[int] = ids.numpy()[np.arange(len(places)), places].tolist()
        return drawn


def _of_start(folder: Path) -> LanguageModel:
    start = load_pretrained_start(folder)
    if start.config.objective != "masked_lm":
        raise ConfigError(
            f"masked_lm names start {start.config.name!r}, which learned by {start.config.objective} and can "
            "not fill a gap. Name one whose objective is masked_lm."
        )
    return start.language


def _with_head(name: str, seed: int) -> LanguageModel:
    language = load_language_model(name, "masked_lm", seed)
    if language.fresh_head:
        raise ConfigError(
            f"masked_lm {name!r} has no head that predicts words, so what it puts in their place would be "
            "random. Name a masked language model such as distilbert/distilbert-base-uncased, or pretrain "
            "one on masked words and name it start-NAME."
        )
    return language


def _whole_words(tokenizer: PreTrainedTokenizerBase, size: int) -> Tensor:
    """Tell which entries of the vocabulary are words by themselves, of letters only: (size,) bool."""
    found = torch.zeros(size, dtype=torch.bool)
    vocabulary, special = tokenizer.get_vocab(), set(tokenizer.all_special_tokens)
    # Some vocabularies mark what begins a word, others what goes on.
    marks = tuple(mark for mark in ("\u0120", "\u2581") if any(word.startswith(mark) for word in vocabulary))
    for word, i in vocabulary.items():
        begins = word.startswith(marks) if marks else not word.startswith("##")
        if i < size and begins and word not in special:
            found[i] = tokenizer.convert_tokens_to_string([word]).strip().isalpha()
    return found


def _replaced(texts: list[str], rows: np.ndarray, spans: np.ndarray, words: list[str]) -> list[str]:
    """Put words in the places of spans (characters), from the end of each text to its beginning."""
    found = list(texts)
    for row, (start, end), word in reversed(list(zip(rows.tolist(), spans.tolist(), words, strict=True))):
        stood = found[row][start:end]
        found[row] = found[row][:start] + (word.capitalize() if stood.istitle() else word) + found[row][end:]
    return found
