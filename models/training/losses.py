"""The training loss: read from the device now and then, averaged, and checked to be a number."""

import math

import torch
from torch import Tensor

from models.errors import TrainingError
from models.training.state import Position


class LossLog:
    """Add up losses in a position; reading one waits for the device, so a GPU's are read in bulk.

    Args:
        at_once: Losses that are read together.
    """

    def __init__(self, at_once: int) -> None:
        self._at_once = at_once
        self._unread: list[Tensor] = []
        self.last: float | None = None

    def add(self, loss: Tensor, position: Position) -> None:
        """Take note of a step's loss, before the step is counted.

        Raises:
            TrainingError: A loss is not a number.
        """
        self._unread.append(loss.detach())
        if len(self._unread) >= self._at_once:
            self.read(position, position.step)

    def read(self, position: Position, last_step: int) -> None:
        """Add what was not read yet; the last of it is the loss of step `last_step` (from 0).

        Raises:
            TrainingError: A loss is not a number.
        """
        if not self._unread:
            return
        losses = torch.stack(self._unread).float().tolist()
        self._unread.clear()
        for step, loss in enumerate(losses, last_step - len(losses) + 1):
            if not math.isfinite(loss):
                raise TrainingError(
                    f"The training loss is {loss} at step {step + 1}; it must be a finite number. Lower "
                    "learning_rate or max_grad_norm, raise warmup_share, or set precision: fp32."
                )
            position.loss_sum += loss
            position.loss_count += 1
            self.last = loss

    def mean(self, position: Position) -> float:
        """Give the mean loss since the last call."""
        mean = position.loss_sum / max(1, position.loss_count)
        position.loss_sum, position.loss_count = 0.0, 0
        return mean
