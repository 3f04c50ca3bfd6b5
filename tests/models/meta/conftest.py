"""A small stack of layers, and pools whose classes have words of their own."""

from collections.abc import Callable, Sequence

import numpy as np
import pytest
import torch
from transformers import BertConfig, BertModel, PreTrainedModel

from models.adapters.base import IGNORED
from models.episodes import EpisodeSampler, EpisodeShape, Pool
from models.meta.batches import Reader
from models.meta.scoring import Source
from models.pretrained import quiet
from models.ragged import Ragged


def new_encoder(seed: int = 0, layers: int = 3) -> PreTrainedModel:
    """Make a BERT of small layers."""
    config = BertConfig(
        vocab_size=60,
        hidden_size=16,
        num_hidden_layers=layers,
        num_attention_heads=2,
        intermediate_size=24,
        max_position_embeddings=16,
    )
    with quiet(), torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BertModel(config, add_pooling_layer=False).eval()


def new_pool(classes: int = 6, each: int = 10, name: str = "words", seed: int = 0) -> Pool:
    """Make rows of 3 to 8 sub-words, one in three of which tells the class."""
    rng = np.random.default_rng(seed)
    labels = np.repeat(np.arange(classes), each)
    lengths = rng.integers(3, 9, len(labels))
    values = rng.integers(30, 60, lengths.sum())
    owners = np.repeat(labels, lengths)
    telling = rng.random(len(values)) < 0.34
    values[telling] = 2 + owners[telling] * 3 + rng.integers(0, 3, telling.sum())
    return Pool(
        name=name,
        domain=name,
        kind="text_classification",
        classes=tuple(f"{name}-{i}" for i in range(classes)),
        ids=Ragged.from_lengths(values, lengths),
        labels=Ragged.from_lengths(labels, np.ones(len(labels), np.int64)),
        marks=np.zeros((len(labels), 0), np.int64),
        named=np.zeros(len(labels), bool),
    )


def _tagged_pool(rows: int = 80, seed: int = 0) -> Pool:
    """Make rows whose sub-words from 2 to 7 are of one of two types, the others outside."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(4, 9, rows)
    values = np.where(
        rng.random(lengths.sum()) < 0.25, rng.integers(2, 8, lengths.sum()), rng.integers(30, 60)
    )
    labels = np.where(values < 5, 1, np.where(values < 8, 2, 0))
    ids = Ragged.from_lengths(values, lengths)
    edge = (ids.places == 0) | (ids.places == lengths[ids.owners] - 1)
    return Pool(
        name="tags",
        domain="tags",
        kind="token_classification",
        classes=("a", "b"),
        ids=ids,
        labels=Ragged.from_lengths(np.where(edge, IGNORED, labels), lengths),
        marks=np.zeros((rows, 0), np.int64),
        named=np.zeros(rows, bool),
    )


def new_source(pools: Sequence[Pool], split: str = "train", **shape: int) -> Source:
    """Make a source of episodes, 3-way 2-shot unless told otherwise."""
    sampler = EpisodeSampler(
        pools, EpisodeShape(**{"n_way": 3, "k_shot": 2, "n_query": 3, **shape}), seed=0, split=split
    )
    return Source(sampler, tuple(Reader(pool, pad_id=0) for pool in pools))


@pytest.fixture
def encoder() -> PreTrainedModel:
    """Give a BERT of three small layers."""
    return new_encoder()


@pytest.fixture
def make_encoder() -> Callable[..., PreTrainedModel]:
    """Give a function that makes such a BERT."""
    return new_encoder


@pytest.fixture
def make_pool() -> Callable[..., Pool]:
    """Give a function that makes a pool of classes with words of their own."""
    return new_pool


@pytest.fixture
def tagged_pool() -> Pool:
    """Give a pool of two types."""
    return _tagged_pool()


@pytest.fixture
def make_source() -> Callable[..., Source]:
    """Give a function that makes a source of episodes."""
    return new_source
