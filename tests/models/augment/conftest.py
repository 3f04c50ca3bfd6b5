"""Masked language models that load in milliseconds."""

import shutil
from pathlib import Path

import pytest
import torch
from transformers import BertConfig, BertForMaskedLM

from models.pretrained import quiet


@pytest.fixture(scope="session")
def tiny_masked_lm(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a one-layer BERT with a head for words and MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-masked-lm")
    config = BertConfig(
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
        max_position_embeddings=64,
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        BertForMaskedLM(config).save_pretrained(folder)
    for name in ("tokenizer.json", "tokenizer_config.json"):
        shutil.copy(tiny_encoder / name, folder / name)
    return folder
