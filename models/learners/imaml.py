"""iMAML: the meta-gradient at the inner optimum, without the path that led there."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.func import grad, grad_and_value, vmap

from models.learners.base import Episode, EpisodeBatch, MetaGradient, Network, Params, Shots, check_positive
from models.learners.gradient import GradientLearner


@dataclass(frozen=True, kw_only=True)
class IMAML(GradientLearner):
    """Hold the adapted weights near the start, and differentiate the optimum implicitly.

    Rajeswaran, Finn, Kakade, Levine, "Meta-Learning with Implicit Gradients", 2019, arXiv:1909.04630: the
    inner objective is L_support(phi) + lambda/2 |phi - theta|^2 (eq. 3), and the meta-gradient is
    (I + 1/lambda H)^-1 grad L_query(phi), H the support loss's Hessian at phi (lemma 1, eq. 6), solved by
    conjugate gradient (algorithm 2). `inner_steps` must come close to the optimum.

    Meta-parameters that do not adapt, and a head that starts from the support, get the gradient that the
    implicit function theorem gives them; the paper has none of those.

    Args:
        strength: lambda.
        cg_steps: Steps of conjugate gradient; fixed, so that episodes can run together.
    """

    name: ClassVar[str] = "imaml"

    inner_steps: int = 16
    strength: float = 2.0
    cg_steps: int = 5

    def __post_init__(self) -> None:
        super().__post_init__()
        check_positive(strength=self.strength, cg_steps=self.cg_steps)

    def inner_loss(
        self, network: Network, params: Params, fast: Params, start: Params, support: Shots
    ) -> Tensor:
        """Give the support's loss and lambda/2 times the squared distance to the start."""
        apart = sum((((w - start[name]) ** 2).sum() for name, w in fast.items()), torch.zeros(()))
        return super().inner_loss(network, params, fast, start, support) + self.strength / 2 * apart

    def meta_gradient(
        self, network: Network, params: Params, batch: EpisodeBatch, progress: float = 0.0
    ) -> MetaGradient:
        """Give the mean over episodes of the implicit gradient."""
        del progress

        def one(support: Shots, query: Shots) -> tuple[Params, Tensor]:
            return self._implicit(network, params, Episode(support, query, batch.n_way))

        gradients, losses = vmap(one)(batch.support, batch.query)
        mean = {name: g.mean(0).detach() for name, g in gradients.items()}
        return MetaGradient(mean, losses.mean().detach())

    def _implicit(self, network: Network, params: Params, episode: Episode) -> tuple[Params, Tensor]:
        """Differentiate L_query(phi*(theta), theta) by theta; at phi* the inner objective has no slope."""
        support, query, n_way = episode
        start = self.start(network, params, support, n_way)
        *_, fast = self.descend(network, params, start, support)

        def query_loss(fast: Params, params: Params) -> Tensor:
            return network.loss(self.scores(network, params, fast, query.inputs), query.targets)

        def slope(fast: Params, params: Params) -> Params:
            start = self.start(network, params, support, n_way)
            found: Params = grad(lambda x: self.inner_loss(network, params, x, start, support))(fast)
            return found

        (outer, direct), loss = grad_and_value(query_loss, argnums=(0, 1))(fast, params)
        solved = conjugate_gradient(
            lambda x: grad(lambda y: _dot(slope(y, params), x))(fast), outer, self.cg_steps
        )
        implicit = grad(lambda p: -_dot(slope(fast, p), solved))(params)
        return {name: direct[name] + g for name, g in implicit.items()}, loss


def conjugate_gradient(product: Callable[[Params], Params], right: Params, steps: int) -> Params:
    """Solve A x = right for a symmetric positive A, given as x -> A x, in at most `steps` steps.

    Hestenes and Stiefel, 1952. The number of steps is fixed; past the solution they change nothing, and a
    direction along which A is not positive is not gone.
    """
    x = {name: torch.zeros_like(b) for name, b in right.items()}
    rest, direction = right, right
    size = _dot(rest, rest)
    for _ in range(steps):
        image = product(direction)
        length = _ratio(size, _dot(direction, image).clamp(min=0))
        x = _step(x, length, direction)
        rest = _step(rest, -length, image)
        new = _dot(rest, rest)
        direction = _step(rest, _ratio(new, size), direction)
        size = new
    return x


def _ratio(above: Tensor, below: Tensor) -> Tensor:
    """Divide; 0 where there is nothing left to divide by."""
    none = below.abs() < torch.finfo(below.dtype).tiny
    return torch.where(none, 0.0, above / torch.where(none, 1.0, below))


def _step(x: Params, length: Tensor, direction: Params) -> Params:
    return {name: value + length * direction[name] for name, value in x.items()}


def _dot(first: Params, second: Params) -> Tensor:
    return sum(((value * second[name]).sum() for name, value in first.items()), torch.zeros(()))
