"""An encoder that loads in milliseconds."""

import shutil
from pathlib import Path

import torch
from transformers import BertConfig, BertModel

from models.encoder import encoder_folder
from models.pretrained import DEFAULT_ENCODER, quiet


def store_tiny_encoder(folder: Path) -> None:
    """Store a one-layer BERT (16 dimensions, 64 positions) with MiniLM's tokenizer."""
    config = BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertModel(config, add_pooling_layer=False).save_pretrained(folder)
    bundled = encoder_folder(DEFAULT_ENCODER)
    assert bundled is not None
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(bundled / name, folder / name)
