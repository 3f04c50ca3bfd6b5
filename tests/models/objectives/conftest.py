"""A tiny network in float64, a batch with padding, and the adapter that scores it."""

from collections.abc import Callable

import pytest
import torch

from models.adapters import TaskAdapter, get_adapter
from models.adapters.base import IGNORED
from models.batching import Batch
from models.networks import Network
from models.schemas import AgentConfig
from models.task_model import build


@pytest.fixture
def make_adapter(make_config: Callable[..., AgentConfig]) -> Callable[..., TaskAdapter]:
    """Give the function that makes the adapter of a described agent."""
    return lambda **changes: get_adapter(make_config(**changes))


@pytest.fixture
def adapter(make_adapter: Callable[..., TaskAdapter]) -> TaskAdapter:
    """Give the adapter of texts and their classes."""
    return make_adapter()


@pytest.fixture
def network(adapter: TaskAdapter) -> Network:
    """Give a network that trains, dropout and all."""
    torch.manual_seed(0)
    network = build(adapter.config)[0].double()
    torch.nn.init.normal_(network.get_submodule("head").weight, std=0.5)
    return network.train()


@pytest.fixture
def batch() -> Batch:
    """Give four texts, the last two of them padded."""
    ids = torch.randint(1000, 2000, (4, 6), generator=torch.Generator().manual_seed(1))
    mask = torch.ones_like(ids)
    mask[2, 4:], mask[3, 3:] = 0, 0
    labels = torch.tensor([[0], [1], [2], [0]])
    return Batch(ids * mask, mask, labels, int(mask.sum()), 4)


@pytest.fixture
def word_batch(batch: Batch) -> Batch:
    """Give the same windows with a tag at every second sub-word."""
    labels = torch.full((4, 6), IGNORED)
    labels[:, ::2] = torch.arange(12).reshape(4, 3) % 5
    labels[batch.attention_mask == 0] = IGNORED
    targets = int((labels != IGNORED).sum())
    return Batch(batch.input_ids, batch.attention_mask, labels, batch.tokens, targets)
