"""What the learners that adapt by gradient steps share: the inner loop.

A learner says which weights adapt, at which rates, and what comes of the last step.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from torch import Tensor
from torch.func import grad

from models.learners.base import Episode, Inputs, Learner, Network, Params, Shots, check_positive
from models.learners.heads import BIAS, WEIGHT, HeadStart, head_parameters, linear_scores, start_head

HEAD = (WEIGHT, BIAS)


@dataclass(frozen=True, kw_only=True)
class GradientLearner(Learner):
    """Adapt by steps against the support's loss: phi <- phi - alpha grad L_support(phi), from phi = theta.

    Finn, Abbeel, Levine, 2017, arXiv:1703.03400, sec. 2.2: theta'_i = theta - alpha grad L_i(theta).

    Args:
        inner_lr: Rate alpha of an inner step.
        inner_steps: Inner steps of an episode.
        head: What an episode's head starts from.
        n_way: Classes of every episode; only a `learned` head needs it.
        scale: Start of the learned scale of a head that starts from prototypes.

    Raises:
        ConfigError: A number is not above 0.
    """

    inner_lr: float = 0.1
    inner_steps: int = 5
    head: HeadStart = "prototypes"
    n_way: int = 5
    scale: float = 10.0

    def __post_init__(self) -> None:
        check_positive(
            inner_lr=self.inner_lr, inner_steps=self.inner_steps, n_way=self.n_way, scale=self.scale
        )

    @property
    def adapts_body(self) -> bool:
        """Adapt everything unless a learner says otherwise."""
        return True

    def begin(self, network: Network) -> Params:
        """Give the network's weights and what the head's start learns."""
        return super().begin(network) | head_parameters(self.head, network, self.n_way, self.scale)

    def rate(self, params: Params, name: str, step: int) -> float | Tensor:  # noqa: ARG002 - for subclasses
        """Give the inner rate of a weight at a step, from 0."""
        return self.inner_lr

    def inner_loss(
        self, network: Network, params: Params, fast: Params, start: Params, support: Shots
    ) -> Tensor:  # `start` is for objectives that hold on to it
        """Give what an inner step lowers."""
        del start
        return network.loss(self.scores(network, params, fast, support.inputs), support.targets)

    def start(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Give the weights that adapt, as they are before the first step; differentiable in `params`."""
        if self.head == "prototypes":
            features = network.features(params, support.inputs)
        else:
            features = next(iter(params.values())).new_zeros(0, network.dim)
        head = start_head(self.head, params, features, network.members(support.targets, n_way))
        body = {name: params[name] for name in network.parameters} if self.adapts_body else {}
        return body | head

    def descend(self, network: Network, params: Params, start: Params, support: Shots) -> Iterator[Params]:
        """Yield the adapted weights after each inner step."""
        fast = start
        for step in range(self.inner_steps):

            def loss(fast: Params) -> Tensor:
                return self.inner_loss(network, params, fast, start, support)

            slopes = grad(loss)(fast)
            fast = {name: w - self.rate(params, name, step) * slopes[name] for name, w in fast.items()}
            yield fast

    def adapt(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Give the weights after the last inner step."""
        *_, fast = self.descend(network, params, self.start(network, params, support, n_way), support)
        return fast

    def scores(self, network: Network, params: Params, adapted: Params, inputs: Inputs) -> Tensor:
        """Score with the adapted weights in the place of the meta-learned ones."""
        return linear_scores(adapted, network.features(params | adapted, inputs))

    def linear_head(self, params: Params, adapted: Params) -> tuple[Tensor, Tensor]:
        """Give the head as it was adapted."""
        del params
        return adapted[WEIGHT], adapted[BIAS]

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the query's loss after the last inner step."""
        del progress
        support, query, n_way = episode
        fast = self.adapt(network, params, support, n_way)
        return network.loss(self.scores(network, params, fast, query.inputs), query.targets)


@dataclass(frozen=True, kw_only=True)
class PathLearner(GradientLearner):
    """Learn through the inner steps themselves, or, by a flag, past them.

    Args:
        first_order: Take the adapted weights' derivative by their start as 1 (no second derivatives).
    """

    first_order: bool = False

    def episode_loss(self, network: Network, params: Params, episode: Episode, progress: float) -> Tensor:
        """Give the query's loss after the last inner step."""
        if not self.first_order:
            return super().episode_loss(network, params, episode, progress)
        support, query, n_way = episode
        fast = self._straight_through(network, params, support, n_way)
        return network.loss(self.scores(network, params, fast, query.inputs), query.targets)

    def _straight_through(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Adapt without derivatives, and let the outer gradient pass to the start as it is."""
        start = self.start(network, params, support, n_way)
        constant = {name: w.detach() for name, w in start.items()}
        held = {name: w.detach() for name, w in params.items()}
        *_, fast = self.descend(network, held, constant, support)
        return {name: w + (fast[name] - constant[name]).detach() for name, w in start.items()}
