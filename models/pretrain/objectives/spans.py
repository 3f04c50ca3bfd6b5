"""Dropped spans: predicted behind their sentinels (Raffel et al., 2020, arXiv:1910.10683)."""

import numpy as np
from torch import Tensor
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.adapters.base import IGNORED
from models.batching import Batch
from models.errors import ConfigError
from models.pretrain.denoising import choose_spans, denoise
from models.pretrain.objectives.base import Objective, cross_entropy, padded_batch
from models.ragged import Ragged
from models.schemas.pretrain import PretrainConfig


class Spans(Objective):
    """Predict dropped spans, each behind its sentinel."""

    def __init__(self, config: PretrainConfig, tokenizer: PreTrainedTokenizerBase) -> None:
        super().__init__(config, tokenizer)
        self._sentinels = _sentinels(tokenizer)
        most = int(config.block_length * config.masking_share / config.span_length) + 1
        if len(self._sentinels) < most:
            raise ConfigError(
                f"The tokenizer of {config.encoder!r} has {len(self._sentinels)} sentinels (<extra_id_0>, "
                f"...) and a block of {config.block_length} has up to {most} spans. Name a model that was "
                "made for span denoising (T5), shorten block_length or lengthen span_length."
            )

    @property
    def target_share(self) -> float:
        """Each dropped span has a sentinel beside its sub-words."""
        return self.config.masking_share * (1 + 1 / self.config.span_length)

    def choose(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Choose spans."""
        return choose_spans(ids.lengths, self.config.masking_share, self.config.span_length, rng)

    def folds(self, ids: Ragged, rng: np.random.Generator) -> np.ndarray:
        """Predict chosen spans in one pass."""
        return self.choose(ids, rng).astype(np.int64) - 1

    def batch(
        self,
        ids: Ragged,
        chosen: np.ndarray,
        rng: np.random.Generator | None = None,  # noqa: ARG002
    ) -> Batch:
        """Give the encoder what is left, the decoder what was dropped."""
        made = denoise(ids, chosen, self._sentinels, self.separator)
        return padded_batch(made.inputs, made.targets, self.pad_id)

    def losses(self, model: PreTrainedModel, batch: Batch) -> Tensor:
        """Let the model shift the labels to the decoder's inputs."""
        output = model(
            input_ids=batch.input_ids,
            attention_mask=batch.attention_mask,
            labels=batch.labels,
            use_cache=False,
        )
        chosen = batch.labels != IGNORED
        return cross_entropy(output.logits[chosen], batch.labels[chosen])

    def counted(self, labels: np.ndarray) -> np.ndarray:
        """Leave sentinels and the end out: they are told by the inputs, not by the text."""
        marks = np.append(self._sentinels, [self.separator, IGNORED])
        counted: np.ndarray = ~np.isin(labels, marks)
        return counted


def _sentinels(tokenizer: PreTrainedTokenizerBase) -> np.ndarray:
    """Find `<extra_id_0>`, `<extra_id_1>` and so on, as many as there are in a row."""
    known: dict[str, int] = tokenizer.get_vocab()
    found: list[int] = []
    while (name := f"<extra_id_{len(found)}>") in known:
        found.append(known[name])
    return np.array(found, np.int64)
