"""Embeddings of texts by a frozen encoder, for tests that compare windows."""

from collections.abc import Sequence

import numpy as np
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from models.kernels import fast_linears

_BATCH = 32
_MAX_LENGTH = 128


@torch.inference_mode()
def embed(texts: Sequence[str], encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> np.ndarray:
    """Mean-pool the encoder's last layer over each text; longer texts are cut at 128 sub-words.

    Args:
        texts: What to embed.
        encoder: Put into evaluation mode for the call and back after it.
        tokenizer: The encoder's fast tokenizer.

    Returns:
        (len(texts), dim) float32, in the order of `texts`.
    """
    was_training = encoder.training
    encoder.train(False)
    try:
        # Batches of like length waste little on padding.
        order = np.argsort([-len(text) for text in texts], kind="stable")
        with fast_linears(encoder):
            pooled = [
                _pool([texts[index] for index in order[first : first + _BATCH]], encoder, tokenizer)
                for first in range(0, len(order), _BATCH)
            ]
    finally:
        encoder.train(was_training)
    width = int(encoder.config.hidden_size)
    out = np.empty((len(texts), width), dtype=np.float32)
    if pooled:
        out[order] = np.concatenate(pooled)
    return out


def _pool(texts: Sequence[str], encoder: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> np.ndarray:
    batch = tokenizer(
        list(texts), padding=True, truncation=True, max_length=_MAX_LENGTH, return_tensors="pt"
    ).to(encoder.device)
    hidden = encoder(input_ids=batch["input_ids"], attention_mask=batch["attention_mask"]).last_hidden_state
    mask = batch["attention_mask"].unsqueeze(-1).to(hidden.dtype)
    mean: np.ndarray = ((hidden * mask).sum(1) / mask.sum(1).clamp(min=1)).float().cpu().numpy()
    return mean
