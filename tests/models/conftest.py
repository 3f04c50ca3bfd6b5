"""A tiny encoder that loads in milliseconds, and descriptions of agents that use it."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from hypothesis import settings
from transformers import BertConfig, BertModel

from models.encoder import DEFAULT_ENCODER, encoder_folder
from models.pretrained import quiet
from models.schemas import AgentConfig, SourceConfig

# Two shared cores make the time of one example say nothing.
settings.register_profile("quickstudy", deadline=None)
settings.load_profile("quickstudy")

LABELS = {"text_classification": ("neg", "neu", "pos"), "token_classification": ("loc", "per")}


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a one-layer BERT (16 dimensions, 64 positions) with MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-encoder")
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
    return folder


@pytest.fixture(scope="session")
def make_config(tiny_encoder: Path) -> Callable[..., AgentConfig]:
    """Give a function that describes an agent of some adapter on the tiny encoder."""

    def make(adapter: str = "text_classification", **changes: object) -> AgentConfig:
        values = {
            "name": "agent",
            "adapter": adapter,
            "labels": LABELS[adapter],
            "sources": (SourceConfig(address="rows.csv"),),
            "encoder": str(tiny_encoder),
            "max_length": 16,
            "stride": 4,
        }
        return AgentConfig.model_validate(values | changes)

    return make
