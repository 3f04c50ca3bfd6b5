from collections.abc import Callable

import pyarrow as pa
import pytest
import torch

from models.adapters.base import ENCODED_SCHEMA
from models.networks import EncoderNetwork
from models.schemas import AgentConfig
from models.task_model import build
from models.training.optimizer import build_optimizer, set_rates
from models.training.vocabulary import ReachedVocabulary

MakeConfig = Callable[..., AgentConfig]
WINDOWS = pa.table(
    [[0, 1], [[101, 7592, 102], [101, 2088, 102]], [[0], [1]], [[], []]], schema=ENCODED_SCHEMA
)
IDS = torch.tensor([[101, 7592, 102], [101, 2088, 102]])


def train(model: EncoderNetwork, config: AgentConfig, steps: int) -> None:
    """Take some steps at a falling rate, without dropout."""
    model.eval()
    optimizer = build_optimizer(model, config)
    for step in range(steps):
        model(IDS).square().sum().backward()
        set_rates(optimizer, 1 / (step + 1))
        optimizer.step()
        optimizer.zero_grad()


def test_training_the_reached_rows_is_training_the_table(make_config: MakeConfig):
    """After some steps with weight decay the restored table equals one that was trained whole."""
    config = make_config(learning_rate=1e-2, weight_decay=0.1)
    whole, cut = build(config)[0], build(config)[0]
    train(whole, config, 4)
    vocabulary = ReachedVocabulary(cut, [WINDOWS], pad_id=0)
    train(cut, config, 4)
    factor = 1.0
    for step in range(4):
        factor *= 1 - config.learning_rate / (step + 1) * config.weight_decay
    vocabulary.restore(factor)
    torch.testing.assert_close(cut.state_dict(), whole.state_dict())


def test_the_table_is_smaller_meanwhile(make_config: MakeConfig):
    """Only the sub-words in use and the padding have a row."""
    model, _ = build(make_config())
    ReachedVocabulary(model, [WINDOWS], pad_id=0)
    assert model.encoder.get_input_embeddings().weight.shape == (5, 16)


def test_an_unannounced_sub_word_is_an_error(make_config: MakeConfig):
    """A sub-word without a row can not be looked up by mistake."""
    model, _ = build(make_config())
    ReachedVocabulary(model, [WINDOWS], pad_id=0)
    with pytest.raises(IndexError, match="out of range"):
        model(torch.tensor([[7593]]))


def test_the_windows_are_not_copied(make_config: MakeConfig):
    """Windows mapped from a file of many chunks stay where they are."""
    model, _ = build(make_config())
    windows, usual = pa.concat_tables([WINDOWS, WINDOWS]), pa.default_memory_pool()
    watched = pa.proxy_memory_pool(usual)
    pa.set_memory_pool(watched)
    try:
        ReachedVocabulary(model, [windows], pad_id=0)
    finally:
        pa.set_memory_pool(usual)
    assert watched.max_memory() == 0
