"""Masked words: predicted from both sides (Devlin et al., 2019, arXiv:1810.04805)."""

from typing import Any

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.adapters.base import IGNORED
from models.batching import Batch
from models.pretrain.masking import choose_words, folds_of_words, replaced
from models.pretrain.objectives.base import Objective, cross_entropy, needed, padded_batch
from models.pretrain.words import WordTable
from models.ragged import Ragged
from models.schemas.pretrain import PretrainConfig


class MaskedWords(Objective):
    """Predict masked words from both sides; logits are made at masked places alone."""

    specials = 2

    def __init__(self, config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(config, tokenizer)
        self.table = WordTable.of(tokenizer)
        self._mask = needed(tokenizer, "mask_token", config.objective)
        self._first = needed(tokenizer, "cls_token", config.objective)

    @property
    def passes(self) -> int:
        """Give as many passes as it takes for each to mask about the share that is learned from."""
        return max(2, round(1 / self.config.masking_share))

    def choose(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Choose whole words."""
        return choose_words(ids, self.table, self.config.masking_share, rng)

    def folds(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Share whole words out to the passes."""
        return folds_of_words(ids, self.table, self.passes, rng)

    def batch(self, ids: Ragged, chosen: np.ndarray, rng: np.random.Generator | None = None) -> Batch:
        """Mask the chosen, and frame each text by its first and its last special sub-word."""
        shown = ids.values.copy()
        hidden = ids.values[chosen]
        shown[chosen] = self._mask if rng is None else replaced(hidden, self._mask, self.table, rng)
        return padded_batch(
            self._framed(shown, ids, self._first, self.separator),
            self._framed(np.where(chosen, ids.values, IGNORED), ids, IGNORED, IGNORED),
            self.pad_id,
        )

    def losses(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Cut the encoder's states down to the masked places before the head sees them."""
        rows, places = (batch.labels != IGNORED).nonzero(as_tuple=True)

        def only_masked(module: Any, inputs: Any, output: Any) -> Any:  # noqa: ANN401, ARG001 - torch's hook
            output.last_hidden_state = output.last_hidden_state[rows, places].unsqueeze(0)
            return output

        hook = model.base_model.register_forward_hook(only_masked)
        try:
            logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits[0]
        finally:
            hook.remove()
        return cross_entropy(logits, batch.labels[rows, places])

    def _separator(self, tokenizer: PreTrainedTokenizerBase) -> int:
        return needed(tokenizer, "sep_token", self.config.objective)

    @staticmethod
    def _framed(values: np.ndarray, ids: Ragged, first: int, last: int) -> Ragged:
        """Put a value before and one behind each sequence."""
        edges = np.stack([ids.offsets[:-1], ids.offsets[1:]], axis=1).ravel()
        around = np.tile([first, last], len(ids.lengths))
        return Ragged.from_lengths(np.insert(values, edges, around), ids.lengths + 2)
