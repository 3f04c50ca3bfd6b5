"""A tiny encoder that loads in milliseconds, and descriptions of agents that use it."""

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from models.adapters import ADAPTERS
from models.schemas import AgentConfig, SourceConfig
from models.schemas.families import Family
from tests.models.tiny import store_tiny_causal, store_tiny_encoder, store_tiny_seq2seq

# Two shared cores make the time of one example say nothing.
settings.register_profile("quickstudy", deadline=None)
settings.load_profile("quickstudy")

LABELS = {
    "text_classification": ("neg", "neu", "pos"),
    "token_classification": ("loc", "per"),
    "multi_label_classification": ("neg", "neu", "pos"),
    "relation_classification": ("in", "of"),
    "relation_extraction": ("in", "of"),
}


@pytest.fixture(scope="session")
def tiny_encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the folder of a one-layer BERT (16 dimensions, 64 positions) with MiniLM's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny-encoder")
    store_tiny_encoder(folder)
    return folder


@pytest.fixture(scope="session")
def tiny_models(tiny_encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[Family, Path]:
    """Give a tiny model of each kind."""
    models: dict[Family, Path] = {"encoder": tiny_encoder}
    stores: dict[Family, Callable[[Path], None]] = {
        "seq2seq": store_tiny_seq2seq,
        "causal": store_tiny_causal,
    }
    for family, store in stores.items():
        models[family] = tmp_path_factory.mktemp(f"tiny-{family}")
        store(models[family])
    return models


@pytest.fixture(scope="session")
def make_config(tiny_models: dict[Family, Path]) -> Callable[..., AgentConfig]:
    """Give a function that describes an agent of some adapter on a tiny model of its kind."""

    def make(adapter: str = "text_classification", **changes: object) -> AgentConfig:
        values = {
            "name": "agent",
            "adapter": adapter,
            "labels": LABELS.get(adapter, ()),
            "sources": (SourceConfig(address="rows.csv"),),
            "encoder": str(tiny_models[ADAPTERS[adapter].family]),
            "max_length": 16,
            "stride": 4,
        }
        if ADAPTERS[adapter].family == "causal":
            values["max_new_tokens"] = 16
        return AgentConfig.model_validate(values | changes)

    return make
