"""Meta-gradients against finite differences and closed forms."""

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch.func import grad

from models.learners import EpisodeBatch, Learner, Params, Shots
from models.learners.anil import ANIL
from models.learners.fine_tune import FineTune
from models.learners.imaml import IMAML
from models.learners.maml import MAML
from models.learners.meta_sgd import MetaSGD
from models.learners.network import ModuleNetwork
from models.learners.prototypical import Prototypical
from models.learners.reptile import Reptile
from models.learners.ridge import Ridge

DIFFERENTIATED: list[Learner] = [
    MAML(inner_lr=0.2, inner_steps=3, scale=1.0),
    MAML(inner_lr=0.2, inner_steps=2, head="zeros"),
    MAML(inner_lr=0.2, inner_steps=2, head="shared"),
    MAML(inner_lr=0.2, inner_steps=2, head="learned", n_way=3),
    ANIL(inner_lr=0.5, inner_steps=3, scale=1.0),
    ANIL(inner_lr=0.5, inner_steps=3, head="learned", n_way=3),
    MetaSGD(inner_lr=0.2, inner_steps=3, scale=1.0),
    Prototypical(scale=2.0),
    Ridge(scale=2.0, penalty=0.5),
    FineTune(scale=1.0),
    IMAML(inner_lr=0.15, inner_steps=60, strength=5.0, cg_steps=25, scale=1.0),
    IMAML(inner_lr=0.15, inner_steps=60, strength=5.0, cg_steps=25, head="learned", n_way=3),
]


def _name(learner: Learner) -> str:
    return f"{learner.name}-{getattr(learner, 'head', 'none')}"


@pytest.mark.parametrize("learner", DIFFERENTIATED, ids=_name)
def test_gradient_is_that_of_finite_differences(
    learner: Learner,
    network: ModuleNetwork,
    gaussians: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """Moving all meta-parameters a little along random directions changes the loss as the gradient says."""
    batch, params = gaussians(), begun(learner, network)
    found = learner.meta_gradient(network, params, batch, progress=0.2).gradients
    for seed in range(3):
        generator = torch.Generator().manual_seed(seed)
        along = {n: torch.randn(w.shape, generator=generator, dtype=torch.float64) for n, w in params.items()}

        def loss(step: float, along: Params = along) -> float:
            moved = {name: w + step * along[name] for name, w in params.items()}
            return float(learner.meta_gradient(network, moved, batch, progress=0.2).loss)

        expected = (loss(1e-5) - loss(-1e-5)) / 2e-5
        slope = float(sum((g * along[name]).sum() for name, g in found.items()))
        assert slope == pytest.approx(expected, rel=1e-5, abs=1e-7)


class _Line:
    """Linear regression by mean squared error, in numpy: weights (dim + 1, 1), the last one the bias."""

    def __init__(self, batch: EpisodeBatch, episode: int) -> None:
        self.x, self.y = self._side(batch.support.inputs[0][episode], batch.support.targets[episode])
        self.query_x, self.query_y = self._side(batch.query.inputs[0][episode], batch.query.targets[episode])

    @staticmethod
    def _side(inputs: torch.Tensor, targets: torch.Tensor) -> tuple[np.ndarray, np.ndarray]:
        return np.hstack([inputs.numpy(), np.ones((len(inputs), 1))]), targets.numpy()

    @property
    def hessian(self) -> np.ndarray:
        return 2 / len(self.x) * self.x.T @ self.x

    def slope(self, w: np.ndarray) -> np.ndarray:
        return 2 / len(self.x) * self.x.T @ (self.x @ w - self.y)

    def query_slope(self, w: np.ndarray) -> np.ndarray:
        return 2 / len(self.query_x) * self.query_x.T @ (self.query_x @ w - self.query_y)

    def descended(self, w: np.ndarray, rate: float, steps: int) -> np.ndarray:
        for _ in range(steps):
            w = w - rate * self.slope(w)
        return w


def _weights(params: Params) -> np.ndarray:
    return np.vstack([params["head.weight"].numpy().T, params["head.bias"].numpy()[None]])


def _check(
    learner: Learner,
    bare: Callable[..., ModuleNetwork],
    batch: EpisodeBatch,
    begun: Callable[..., Params],
    expected: Callable[[_Line, np.ndarray], np.ndarray],
) -> None:
    network = bare(2)
    params = begun(learner, network)
    found = learner.meta_gradient(network, params, batch).gradients
    wanted = np.mean([expected(_Line(batch, i), _weights(params)) for i in range(len(batch))], axis=0)
    np.testing.assert_allclose(_weights(found), wanted, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("steps", [1, 4])
def test_maml_on_linear_regression_is_the_closed_form(
    steps: int,
    bare: Callable[..., ModuleNetwork],
    lines: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """(I - alpha H)^k grad L_query(phi): the Jacobian of k inner steps is known."""

    def expected(line: _Line, w: np.ndarray) -> np.ndarray:
        jacobian = np.linalg.matrix_power(np.eye(3) - 0.1 * line.hessian, steps)
        return jacobian @ line.query_slope(line.descended(w, 0.1, steps))

    learner = MAML(inner_lr=0.1, inner_steps=steps, head="learned", n_way=1)
    _check(learner, bare, lines(), begun, expected)


@pytest.mark.parametrize("kind", [MAML, ANIL])
def test_first_order_is_the_query_slope_at_the_adapted_weights(
    kind: type[MAML],
    bare: Callable[..., ModuleNetwork],
    lines: Callable[..., EpisodeBatch],
    begun: Callable[..., Params],
):
    """Without second derivatives the meta-gradient is grad L_query(phi) itself."""
    learner = kind(inner_lr=0.1, inner_steps=3, head="learned", n_way=1, first_order=True)
    _check(learner, bare, lines(), begun, lambda line, w: line.query_slope(line.descended(w, 0.1, 3)))


def test_first_order_leaves_no_derivative_of_the_path_in_a_body(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """For a whole network too: the gradient at the adapted weights, given back as the start's."""
    learner = MAML(inner_lr=0.2, inner_steps=2, head="learned", n_way=3, first_order=True)
    batch = gaussians(episodes=1)
    params = begun(learner, network)
    episode = [torch.utils._pytree.tree_map(lambda x: x[0], shots) for shots in (batch.support, batch.query)]
    adapted = learner.adapt(network, params, episode[0], 3)
    at = {name: w.detach().requires_grad_() for name, w in adapted.items()}
    loss = network.loss(learner.scores(network, at, at, episode[1].inputs), episode[1].targets)
    expected = torch.autograd.grad(loss, list(at.values()))
    found = learner.meta_gradient(network, params, batch).gradients
    for name, gradient in zip(at, expected, strict=True):
        torch.testing.assert_close(found[name], gradient)


def test_reptile_on_linear_regression_is_the_way_the_steps_went(
    bare: Callable[..., ModuleNetwork], lines: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """Theta - phi after k steps on support and query together."""

    def expected(line: _Line, w: np.ndarray) -> np.ndarray:
        line.x, line.y = np.vstack([line.x, line.query_x]), np.vstack([line.y, line.query_y])
        return w - line.descended(w, 0.1, 3)

    learner = Reptile(inner_lr=0.1, inner_steps=3, head="learned", n_way=1)
    _check(learner, bare, lines(), begun, expected)


def _optimum(line: _Line, w: np.ndarray, strength: float) -> np.ndarray:
    right = 2 / len(line.x) * line.x.T @ line.y + strength * w
    return np.linalg.solve(line.hessian + strength * np.eye(3), right)


def test_imaml_with_enough_steps_is_the_exact_implicit_gradient(
    bare: Callable[..., ModuleNetwork], lines: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """(I + H / lambda)^-1 grad L_query at the inner optimum, solved exactly."""

    def expected(line: _Line, w: np.ndarray) -> np.ndarray:
        at = _optimum(line, w, 0.7)
        return np.linalg.solve(np.eye(3) + line.hessian / 0.7, line.query_slope(at))

    learner = IMAML(inner_lr=0.1, inner_steps=600, strength=0.7, cg_steps=10, head="learned", n_way=1)
    _check(learner, bare, lines(), begun, expected)


def test_imaml_with_a_large_lambda_is_the_gradient_at_the_start(
    bare: Callable[..., ModuleNetwork], lines: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """As lambda grows the adapted weights stay at the start, and the gradient is that of the query there."""
    network = bare(2)
    learner = IMAML(inner_lr=1e-8, inner_steps=50, strength=1e7, cg_steps=5, head="learned", n_way=1)
    params, batch = begun(learner, network), lines()
    found = learner.meta_gradient(network, params, batch).gradients
    expected = np.mean([_Line(batch, i).query_slope(_weights(params)) for i in range(2)], axis=0)
    np.testing.assert_allclose(_weights(found), expected, rtol=1e-4)


def test_imaml_s_own_inner_steps_come_close_to_the_optimum(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """Less than a tenth of the slope is left at the end, which the implicit gradient takes for none."""
    learner, batch = IMAML(scale=1.0), gaussians(episodes=1)
    params = begun(learner, network)
    support = Shots((batch.support.inputs[0][0],), batch.support.targets[0])
    start = learner.start(network, params, support, 3)

    def left(fast: Params) -> float:
        slopes = grad(lambda x: learner.inner_loss(network, params, x, start, support))(fast)
        return float(torch.cat([s.flatten() for s in slopes.values()]).norm())

    assert left(learner.adapt(network, params, support, 3)) < 0.1 * left(start)


def test_more_conjugate_gradient_steps_come_nearer_to_the_exact_solution(
    network: ModuleNetwork, gaussians: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """The error against many steps falls with their number."""
    batch = gaussians()

    def gradient(steps: int) -> torch.Tensor:
        learner = IMAML(inner_lr=0.15, inner_steps=60, strength=5.0, cg_steps=steps, scale=1.0)
        found = learner.meta_gradient(network, begun(learner, network), batch).gradients
        return torch.cat([g.flatten() for g in found.values()])

    exact = gradient(25)
    errors = [float((gradient(steps) - exact).norm()) for steps in (1, 3, 8)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.05 * errors[0]


def test_a_learned_rate_has_the_derivative_of_the_closed_form(
    bare: Callable[..., ModuleNetwork], lines: Callable[..., EpisodeBatch], begun: Callable[..., Params]
):
    """After one step d L_query / d alpha is minus the product of query slope and support slope."""
    learner = MetaSGD(inner_lr=0.1, inner_steps=1, head="learned", n_way=1)
    network, batch = bare(2), lines(episodes=1)
    params, line = begun(learner, network), _Line(batch, 0)
    w, rate = _weights(params), float(params["rate.head.bias"])
    product = -line.query_slope(w - rate * line.slope(w)) * line.slope(w)
    found = learner.meta_gradient(network, params, batch).gradients
    assert float(found["rate.head.weight"]) == pytest.approx(product[:2].sum(), rel=1e-9)
    assert float(found["rate.head.bias"]) == pytest.approx(product[2:].sum(), rel=1e-9)
