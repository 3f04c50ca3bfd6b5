"""What every learner does; one subclass a file, listed in `models/learners/__init__.py`.

A learner learns, over many episodes, the weights from which a few labelled rows are enough, and says how it
adapts to them. It holds settings and no weights: those are plain dicts of tensors that go in and come out,
so that `torch.func` can differentiate through an adaptation and run many episodes at once.
"""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol, Self

import torch
from torch import Tensor
from torch.func import grad_and_value, vmap

from models.errors import ConfigError

Params = dict[str, Tensor]
Inputs = tuple[Tensor, ...]


class Shots(NamedTuple):
    """Rows with their truth.

    Args:
        inputs: What a network reads, for it alone to take apart: a tensor may have an entry a row, or one for
            some rows together. In an EpisodeBatch each begins with the episodes.
        targets: (items,) class within the episode, IGNORED where there is none; float targets in a
            regression, (items, n_way). An item is what gets a class: a row, or each of its sub-words.
    """

    inputs: Inputs
    targets: Tensor


@dataclass(frozen=True)
class EpisodeBatch:
    """Episodes of one meta-batch, padded to one shape and stacked.

    Args:
        support: Shots to adapt on, each tensor (episodes, ...).
        query: Shots to be judged on, each tensor (episodes, ...).
        n_way: Classes of an episode; the largest number where it varies (the rest have no support).
        length: Items of a row: 1, or where sub-words have classes the longest row's sub-words.
    """

    support: Shots
    query: Shots
    n_way: int
    length: int = 1

    def __len__(self) -> int:
        return len(self.query.targets)

    def to(self, device: torch.device) -> Self:
        """Give the episodes on a device."""
        support, query = (
            Shots(tuple(x.to(device) for x in shots.inputs), shots.targets.to(device))
            for shots in (self.support, self.query)
        )
        return type(self)(support, query, self.n_way, self.length)


class Network(Protocol):
    """A model as a pure function of named weights, cut where its head would begin."""

    @property
    def parameters(self) -> Params:
        """Give the weights that are learned, as they are before any episode."""

    @property
    def dim(self) -> int:
        """Give the size of a feature vector."""

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim) for the inputs of some rows."""

    def weights(self, params: Params) -> Params:
        """Give the module's weights that these meta-parameters stand for, by their names in it."""

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Give the mean loss of scores (items, n_way), a scalar."""

    def members(self, targets: Tensor, n_way: int) -> Tensor:
        """Give (items, n_way): 1 at an item's class, 0 elsewhere; all 1 where numbers are predicted."""


@dataclass(frozen=True)
class MetaGradient:
    """The direction of one outer step.

    Args:
        gradients: One for each meta-parameter, the mean over the episodes.
        loss: Mean query loss (of all rows, for Reptile), a scalar.
    """

    gradients: Params
    loss: Tensor


class Learner(ABC):
    """The contract: begin, meta_gradient, adapt, scores. Everything is a pure function of its arguments."""

    name: ClassVar[str]

    @property
    @abstractmethod
    def adapts_body(self) -> bool:
        """Tell whether weights below the head change within an episode.

        Where they do not, features are computed once an episode, for all episodes in one pass.
        """

    def begin(self, network: Network) -> Params:
        """Give the meta-parameters before the first outer step: the network's, and the learner's own."""
        return dict(network.parameters)

    @abstractmethod
    def episode_loss(self, network: Network, params: Params, episode: "Episode", progress: float) -> Tensor:
        """Give what the outer loop lowers, for one episode: a scalar, differentiable in `params`.

        Args:
            network: What computes features.
            params: The meta-parameters.
            episode: Support and query.
            progress: Share of meta-training that is done (fraction, 0-1).
        """

    @abstractmethod
    def adapt(self, network: Network, params: Params, support: Shots, n_way: int) -> Params:
        """Give the weights of the episode's own classifier; nothing that came in is changed."""

    @abstractmethod
    def scores(self, network: Network, params: Params, adapted: Params, inputs: Inputs) -> Tensor:
        """Score rows by what `adapt` gave: (items, n_way), logits."""

    @abstractmethod
    def linear_head(self, params: Params, adapted: Params) -> tuple[Tensor, Tensor]:
        """Write the episode's classifier as weight (n_way, dim) and bias (n_way,).

        Scores by them are those of `scores`, up to a number that all classes of a row share.
        """

    def meta_gradient(
        self, network: Network, params: Params, batch: EpisodeBatch, progress: float = 0.0
    ) -> MetaGradient:
        """Differentiate the mean loss of some episodes, all run together.

        Args:
            network: What computes features.
            params: The meta-parameters.
            batch: The episodes.
            progress: Share of meta-training that is done (fraction, 0-1).
        """

        def mean_loss(params: Params) -> Tensor:
            view, seen = self._seen(network, params, batch)

            def loss(support: Shots, query: Shots) -> Tensor:
                return self.episode_loss(view, params, Episode(support, query, batch.n_way), progress)

            losses: Tensor = vmap(loss)(seen.support, seen.query)
            return losses.mean()

        gradients, loss = grad_and_value(mean_loss)(params)
        return MetaGradient({name: g.detach() for name, g in gradients.items()}, loss.detach())

    def predict(self, network: Network, params: Params, batch: EpisodeBatch) -> Tensor:
        """Adapt to each episode and score its query: (episodes, items, n_way), without gradients."""
        with torch.no_grad():
            view, seen = self._seen(network, params, batch)

        def one(support: Shots, query: Inputs) -> Tensor:
            adapted = self.adapt(view, params, support, batch.n_way)
            return self.scores(view, params, adapted, query)

        with torch.no_grad():
            found: Tensor = vmap(one)(seen.support, seen.query.inputs)
        return found

    def _seen(self, network: Network, params: Params, batch: EpisodeBatch) -> tuple[Network, EpisodeBatch]:
        """Put features in the place of inputs where no episode changes how they are computed."""
        return (network, batch) if self.adapts_body else embedded(network, params, batch)


class Episode(NamedTuple):
    """One small problem: shots to adapt on, shots to be judged on, and how many classes."""

    support: Shots
    query: Shots
    n_way: int


class View(ABC):
    """Another way to the features of a network; everything else is as the network has it."""

    def __init__(self, network: Network) -> None:
        self._network = network

    @property
    def parameters(self) -> Params:
        """Give the weights of the network behind it."""
        return self._network.parameters

    @property
    def dim(self) -> int:
        """Give the size of a feature vector."""
        return self._network.dim

    @abstractmethod
    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim)."""

    def weights(self, params: Params) -> Params:
        """Give the weights of the module behind it."""
        return self._network.weights(params)

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Give the mean loss, as the network behind it does."""
        return self._network.loss(scores, targets)

    def members(self, targets: Tensor, n_way: int) -> Tensor:
        """Give each item's class, as the network behind it does."""
        return self._network.members(targets, n_way)


class Embedded(View):
    """A network whose inputs are its features already: `inputs[0]` is (items, dim)."""

    def features(self, params: Params, inputs: Inputs) -> Tensor:  # noqa: ARG002 - the contract's argument
        """Give the features that came in."""
        return inputs[0]


def embedded(network: Network, params: Params, batch: EpisodeBatch) -> tuple[Network, EpisodeBatch]:
    """Compute the features of all rows of all episodes in one pass."""
    rows = vmap(joined)(batch.support, batch.query)
    features = network.features(params, tuple(x.flatten(0, 1) for x in rows.inputs))
    features = features.reshape(len(batch), -1, features.shape[-1])
    count = batch.support.targets.shape[1]
    support, query = features[:, :count], features[:, count:]
    seen = EpisodeBatch(
        Shots((support,), batch.support.targets),
        Shots((query,), batch.query.targets),
        batch.n_way,
        batch.length,
    )
    return Embedded(network), seen


def joined(support: Shots, query: Shots) -> Shots:
    """Put the rows of both together; their inputs have the same shape but for the first dimension."""
    inputs = tuple(torch.cat(pair) for pair in zip(support.inputs, query.inputs, strict=True))
    return Shots(inputs, torch.cat([support.targets, query.targets]))


def check_positive(**values: float) -> None:
    """Refuse settings that are not above 0.

    Raises:
        ConfigError: One of them is 0 or less.
    """
    for name, value in values.items():
        if not value > 0:
            raise ConfigError(f"{name} is {value}; it must be above 0.")
