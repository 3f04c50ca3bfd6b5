"""A tiny encoder that loads in milliseconds, and descriptions of agents that use it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from models.schemas import AgentConfig, SourceConfig
from tests.models.tiny import store_tiny_encoder

# Two shared cores make the time of one example say nothing.
settings.register_profile("quickstudy", deadline=None)
settings.load_profile("quickstudy")

LABELS = {"text_classification": ("neg", "neu", "pos"), "token_classification": ("loc", "per")}


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a one-layer BERT (16 dimensions, 64 positions) with MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-encoder")
    store_tiny_encoder(folder)
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
