"""Small episodes and networks in float64, where differences are exact enough to judge gradients by."""

from collections.abc import Callable
from typing import Literal

import pytest
import torch
from torch import nn

from models.learners import EpisodeBatch, Learner, Params, Shots
from models.learners.network import ModuleNetwork


def _gaussians(
    n_way: int = 3, k_shot: int = 2, n_query: int = 4, episodes: int = 2, seed: int = 0
) -> EpisodeBatch:
    """Draw episodes whose classes are clouds in a plane that a third, noisy coordinate hides a little."""
    generator = torch.Generator().manual_seed(seed)
    centres = 2 * torch.randn(episodes, n_way, 1, 3, generator=generator, dtype=torch.float64)

    def shots(each: int) -> Shots:
        noise = torch.randn(episodes, n_way, each, 3, generator=generator, dtype=torch.float64)
        rows = (centres + 0.5 * noise).flatten(1, 2)
        return Shots((rows,), torch.arange(n_way).repeat_interleave(each).expand(episodes, -1))

    return EpisodeBatch(shots(k_shot), shots(n_query), n_way)


def _lines(rows: int = 6, episodes: int = 2, dim: int = 2, seed: int = 0) -> EpisodeBatch:
    """Draw linear regressions: targets are a plane over the inputs, and noise."""
    generator = torch.Generator().manual_seed(seed)
    slopes = torch.randn(episodes, dim, 1, generator=generator, dtype=torch.float64)

    def shots() -> Shots:
        x = torch.randn(episodes, rows, dim, generator=generator, dtype=torch.float64)
        noise = torch.randn(episodes, rows, 1, generator=generator, dtype=torch.float64)
        return Shots((x,), x @ slopes + 0.1 * noise)

    return EpisodeBatch(shots(), shots(), 1)


def _network(seed: int = 0) -> ModuleNetwork:
    """Make a smooth network: three inputs, five hidden units, four features."""
    body = nn.Sequential(nn.Linear(3, 5), nn.Tanh(), nn.Linear(5, 4)).double()
    generator = torch.Generator().manual_seed(seed)
    for weight in body.parameters():
        nn.init.normal_(weight, std=0.5, generator=generator)
    return ModuleNetwork(body, 4)


def _begun(learner: Learner, network: ModuleNetwork, seed: int = 1) -> Params:
    """Begin in float64, a head's zeros a little off them, so that no gradient vanishes by symmetry."""
    generator = torch.Generator().manual_seed(seed)

    def moved(weight: torch.Tensor) -> torch.Tensor:
        noise = torch.randn(weight.shape, generator=generator, dtype=torch.float64)
        return weight.double() + 0.1 * noise

    return {
        name: moved(w) if name.startswith("head.") else w.double()
        for name, w in learner.begin(network).items()
    }


@pytest.fixture(scope="session")
def gaussians() -> Callable[..., EpisodeBatch]:
    """Give the function that draws classification episodes."""
    return _gaussians


@pytest.fixture(scope="session")
def lines() -> Callable[..., EpisodeBatch]:
    """Give the function that draws regression episodes."""
    return _lines


@pytest.fixture(scope="session")
def network() -> ModuleNetwork:
    """Give a smooth network of three inputs."""
    return _network()


@pytest.fixture(scope="session")
def bare() -> Callable[..., ModuleNetwork]:
    """Give a function that makes a network without weights: its features are its inputs."""

    def make(dim: int = 2, target: Literal["class", "number"] = "number") -> ModuleNetwork:
        return ModuleNetwork(nn.Identity(), dim, target=target)

    return make


@pytest.fixture(scope="session")
def begun() -> Callable[..., Params]:
    """Give the function that begins a learner in float64."""
    return _begun
