"""The next sub-word: predicted from those before it."""

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel

from models.adapters.base import IGNORED
from models.batching import Batch
from models.pretrain.objectives.base import Objective, cross_entropy, padded_batch
from models.ragged import Ragged


class NextWords(Objective):
    """Predict each sub-word from those before it."""

    @property
    def target_share(self) -> float:
        """Every sub-word is a target."""
        return 1.0

    def framed(self, ids: Ragged) -> Ragged:
        """Put the separator before and behind each text: the first word follows one, and the end is told."""
        edges = np.stack([ids.offsets[:-1], ids.offsets[1:]], axis=1).ravel()
        return Ragged.from_lengths(np.insert(ids.values, edges, self.separator), ids.lengths + 2)

    def choose(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:  # noqa: ARG002 - nothing is drawn
        """Choose all but the first, which nothing stands before."""
        chosen: np.ndarray = ids.places > 0
        return chosen

    def folds(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Predict all in one pass."""
        return self.choose(ids, rng).astype(np.int64) - 1

    def batch(
        self,
        ids: Ragged,
        chosen: np.ndarray,
        rng: np.random.Generator | None = None,  # noqa: ARG002
    ) -> Batch:
        """Label each sub-word with the next one."""
        last = np.zeros(len(ids.values), bool)
        last[ids.offsets[1:][ids.lengths > 0] - 1] = True
        lengths = np.maximum(ids.lengths - 1, 0)
        inputs = Ragged.from_lengths(ids.values[~last], lengths)
        labels = np.where(chosen, ids.values, IGNORED)[ids.places > 0]
        return padded_batch(inputs, Ragged.from_lengths(labels, lengths), self.pad_id)

    def losses(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Read the logits where a label is."""
        logits = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
        chosen = batch.labels != IGNORED
        return cross_entropy(logits[chosen], batch.labels[chosen])
