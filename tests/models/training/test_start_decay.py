import pytest
import torch
from torch import nn

from models.training.start_decay import StartDecay


def test_the_pull_is_the_gradient_of_the_penalty():
    """A step of plain gradient descent on a/2 |w - w0|^2 gives the same weights."""
    start = torch.randn(3, 4, dtype=torch.float64)
    weight = nn.Parameter(start.clone())
    decay = StartDecay([weight], strength=5.0)
    with torch.no_grad():
        weight.add_(torch.randn_like(weight))
    penalty = 2.5 * (weight - start).square().sum()
    (gradient,) = torch.autograd.grad(penalty, weight)
    expected = (weight - 0.01 * gradient).detach()
    decay.pull(0.01)
    torch.testing.assert_close(weight.detach(), expected)


def test_weights_that_do_not_train_stay():
    """A frozen layer is where it began, or was put on purpose."""
    frozen = nn.Parameter(torch.ones(2), requires_grad=False)
    decay = StartDecay([frozen], strength=1.0)
    frozen.fill_(3.0)
    decay.pull(0.5)
    assert torch.equal(frozen, torch.full((2,), 3.0))


@pytest.mark.parametrize("rate", [0.0, 1.0])
def test_the_rate_goes_from_nothing_to_all_the_way(rate: float):
    """At rate * a = 1 a weight is back where it began."""
    weight = nn.Parameter(torch.zeros(2))
    decay = StartDecay([weight], strength=1.0)
    nn.init.constant_(weight, 4.0)
    decay.pull(rate)
    assert torch.equal(weight.detach(), torch.full((2,), 4.0 * (1 - rate)))
