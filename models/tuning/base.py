"""What every parameter-efficient way of fine-tuning does; one way a file, listed in `__init__.py`."""

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import nn
from transformers import PreTrainedModel


class TuningMethod(ABC):
    """Train a small share of new or old parameters, and leave the rest of a pretrained model as it is."""

    libraries: ClassVar[tuple[str, ...]] = ()
    """Packages that a model tuned so needs to load, beside those that every model needs."""

    neutral: ClassVar[bool] = True
    """Whether the model scores as its base does until it is trained."""

    @abstractmethod
    def misfit(self, pretrained: PreTrainedModel) -> str | None:
        """Say why this way does not run on a model; None if it does."""

    @abstractmethod
    def apply(self, pretrained: PreTrainedModel) -> nn.Module:
        """Add what trains to a model, all of whose parameters are frozen.

        Args:
            pretrained: Changed in place.

        Returns:
            The module to use in its place, often itself, in which exactly what trains requires gradients.
        """

    def merge(self, tuned: nn.Module) -> nn.Module:
        """Turn what `apply` gave back into a plain model of the base's architecture, with equal scores.

        Raises:
            NotImplementedError: What was added can not be written into the base's weights.
        """
        raise NotImplementedError(f"{type(self).__name__} can not be merged into the base's weights")
