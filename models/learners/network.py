"""ModuleNetwork: a torch module as the pure function that learners work on."""

from collections.abc import Callable
from typing import Literal

import torch
from torch import Tensor, nn
from torch.func import functional_call

from models.errors import ConfigError
from models.kernels import fast_linears
from models.learners.base import Inputs, Params
from models.learners.heads import memberships
from models.learners.losses import cross_entropy


class ModuleNetwork:
    """A body that turns inputs into features; the head belongs to the learner.

    Args:
        body: Called with the inputs, gives (items, dim). It is used in evaluation mode: dropout would make
            episodes differ from run to run.
        dim: Size of a feature vector.
        learned: Which of the body's weights are meta-parameters, by name; the rest stays as it is.
        target: What is predicted: one of n_way classes, or n_way numbers.

    Raises:
        ConfigError: No weight is chosen where the body has some.
    """

    def __init__(
        self,
        body: nn.Module,
        dim: int,
        learned: Callable[[str], bool] = lambda _: True,
        target: Literal["class", "number"] = "class",
    ) -> None:
        self._body, self._dim, self._target = body.eval(), dim, target
        named = dict(body.named_parameters())
        detached = {name: w.detach() for name, w in named.items()}
        self._parameters = {name: w for name, w in detached.items() if learned(name)}
        # Handed in as constants, so that no gradient is computed for them.
        self._fixed = {name: w for name, w in detached.items() if not learned(name)}
        if named and not self._parameters:
            raise ConfigError(
                f"No weight is chosen to be learned; the names begin {', '.join(list(named)[:3])}. Choose "
                "some of them, or a body without weights (meta_layers: none)."
            )

    @property
    def parameters(self) -> Params:
        """Give the meta-parameters as they are in the module."""
        return dict(self._parameters)

    @property
    def dim(self) -> int:
        """Give the size of a feature vector."""
        return self._dim

    def weights(self, params: Params) -> Params:
        """Give the meta-parameters without what a learner adds to them."""
        return {name: params[name] for name in self._parameters}

    def features(self, params: Params, inputs: Inputs) -> Tensor:
        """Give (items, dim) with `params` in the place of the module's weights of these names."""
        with fast_linears(self._body):
            found: Tensor = functional_call(self._body, self._fixed | self.weights(params), inputs)
        return found

    def loss(self, scores: Tensor, targets: Tensor) -> Tensor:
        """Give the cross-entropy over the items that have a class, or the mean squared error."""
        if self._target == "number":
            return nn.functional.mse_loss(scores, targets)
        return cross_entropy(scores, targets)

    def members(self, targets: Tensor, n_way: int) -> Tensor:
        """Give (items, n_way): 1 at an item's class, 0 elsewhere; numbers are all there."""
        kind = next((w.dtype for w in self._parameters.values()), torch.get_default_dtype())
        if self._target == "number":
            return torch.ones(len(targets), n_way, dtype=kind, device=targets.device)
        return memberships(targets, n_way, kind)
