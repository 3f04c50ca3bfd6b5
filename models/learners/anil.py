"""ANIL: almost no inner loop; only the head adapts."""

from dataclasses import dataclass
from typing import ClassVar

from models.learners.gradient import PathLearner


@dataclass(frozen=True, kw_only=True)
class ANIL(PathLearner):
    """Learn the body as it is to be used, and adapt the head alone.

    Raghu, Raghu, Bengio, Vinyals, "Rapid Learning or Feature Reuse? Towards Understanding the Effectiveness
    of MAML", 2020, arXiv:1909.09157: MAML's inner step on the head's weights only.
    Features are computed once an episode, however many steps there are.
    """

    name: ClassVar[str] = "anil"

    @property
    def adapts_body(self) -> bool:
        """Keep the body as it is within an episode."""
        return False
