"""Train only those rows of the embedding table that the data can reach.

A sub-word that stands in no training window has a zero gradient for ever: AdamW's moments stay zero, and
only weight decay moves its row, by a factor known in advance. A small data set reaches a fraction of a
table of 30,000 rows, which otherwise takes half of the optimizer's work. The update is the same. A network
that writes learns of every sub-word that it does not write, so its table stays whole.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import torch
from torch import Tensor, nn
from torch.nn import functional

from models.networks import Network
from models.ragged import Ragged


class _ReachedEmbedding(nn.Module):
    """Some rows of an embedding table, looked up by the whole table's ids."""

    def __init__(self, whole: nn.Embedding, used: Tensor) -> None:
        super().__init__()
        self.weight = nn.Parameter(whole.weight.detach()[used].clone())
        # -1 makes an id that was not announced an error, where a wrong row would go unseen.
        place = torch.full((whole.num_embeddings,), -1, dtype=torch.int64)
        place[used] = torch.arange(len(used))
        self.place: Tensor
        self.register_buffer("place", place, persistent=False)
        padding = whole.padding_idx
        self.padding_idx = int(place[padding]) if padding is not None and place[padding] >= 0 else None

    def forward(self, input_ids: Tensor) -> Tensor:
        return functional.embedding(self.place[input_ids], self.weight, self.padding_idx)


class ReachedVocabulary:
    """A model's embedding table, cut to the rows in use until `restore`.

    One that is frozen stays whole: there is nothing to spare.

    Args:
        model: Its input embedding is replaced by the cut one.
        windows: Tables in ENCODED_SCHEMA with every sub-word that the model will see meanwhile.
        pad_id: Sub-word that pads.
    """

    def __init__(self, model: Network, windows: Sequence[pa.Table], pad_id: int) -> None:
        encoder: Any = model.pretrained
        self._encoder = encoder
        self._whole: nn.Embedding = encoder.get_input_embeddings()
        self._cut = not model.writes and self._whole.weight.requires_grad
        if not self._cut:
            return
        used = np.zeros(self._whole.num_embeddings, bool)
        used[pad_id] = True
        for table in windows:
            # Chunk by chunk, since joining the chunks of a mapped file would copy it.
            for chunk in table["input_ids"].chunks:
                used[Ragged.from_column(chunk).values] = True
        self._used = torch.from_numpy(np.flatnonzero(used))
        encoder.set_input_embeddings(_ReachedEmbedding(self._whole, self._used))

    @property
    def trains(self) -> bool:
        """Tell whether the table is cut and not frozen."""
        if not self._cut:
            return False
        weight: Tensor = self._encoder.get_input_embeddings().weight
        return weight.requires_grad

    def restore(self, factor: float) -> None:
        """Put the whole table back: the rows in use as trained, the others decayed by `factor`."""
        if not self._cut:
            return
        trained: Tensor = self._encoder.get_input_embeddings().weight.detach()
        with torch.no_grad():
            self._whole.weight.mul_(factor)
            self._whole.weight[self._used] = trained.to(self._whole.weight.device)
        self._encoder.set_input_embeddings(self._whole)
