"""A seq2seq model: reads a text with its encoder and writes another with its decoder."""

from typing import Any, ClassVar

from torch import Tensor
from transformers import AutoModelForSeq2SeqLM

from models.adapters.base import IGNORED
from models.networks.writing import WritingNetwork
from models.schemas.families import Family


class Seq2SeqNetwork(WritingNetwork):
    """Read each window with an encoder, and write with a decoder."""

    family: ClassVar[Family] = "seq2seq"
    auto: ClassVar[Any] = AutoModelForSeq2SeqLM

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor | None = None, labels: Tensor | None = None
    ) -> Tensor:
        """Score the sub-words that are to be written, each after the true ones before it.

        Args:
            input_ids: (batch, length).
            attention_mask: (batch, length), 0 at padding; None where nothing is padded.
            labels: (batch, longest) ids to write, IGNORED as padding.

        Returns:
            (sub-words to write, vocabulary).
        """
        if labels is None:
            raise TypeError("A seq2seq network scores answers, so it needs labels.")
        model: Any = self.language_model
        counts = labels != IGNORED
        padded = labels.masked_fill(~counts, model.config.pad_token_id)
        before = model.prepare_decoder_input_ids_from_labels(labels=padded)
        scores: Tensor = model(
            input_ids=input_ids, attention_mask=attention_mask, decoder_input_ids=before, use_cache=False
        ).logits
        return scores[counts]
