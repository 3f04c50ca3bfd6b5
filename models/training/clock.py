"""Where the time goes: named parts, measured by the wall clock."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

MODEL_PARTS = ("forward", "backward", "optimizer")
_APART = ("setup", "validation", "save")


class Clock:
    """Add up the seconds spent in named parts of a training."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}
        self._began = time.perf_counter()

    @contextmanager
    def measure(self, part: str) -> Iterator[None]:
        """Count the block's time towards a part."""
        began = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[part] = self.seconds.get(part, 0.0) + time.perf_counter() - began

    @property
    def elapsed(self) -> float:
        """Give the seconds since the clock was made."""
        return time.perf_counter() - self._began

    @property
    def model_seconds(self) -> float:
        """Give the seconds in forward, backward and optimizer step."""
        return sum(self.seconds.get(part, 0.0) for part in MODEL_PARTS)

    @property
    def training_seconds(self) -> float:
        """Give all seconds apart from validation, from loading the model and from storing the result."""
        return self.elapsed - sum(self.seconds.get(part, 0.0) for part in _APART)

    @property
    def model_share(self) -> float:
        """Give the model's share of the training seconds (fraction, 0-1)."""
        return self.model_seconds / self.training_seconds if self.model_seconds else 0.0
