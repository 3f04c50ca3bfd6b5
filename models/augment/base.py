"""What every way of making rows does; one subclass a file, listed in `models/augment/__init__.py`."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np

from models.schemas import AgentConfig


@dataclass(frozen=True)
class Teachers:
    """Where the models lie that rewrite texts.

    Args:
        masked_lm: Hugging Face id or folder of a masked language model, or folder of a pretrained start.
        translators: Model folders of the agents that translate forth and back.
    """

    masked_lm: str | None = None
    translators: tuple[str, str] | None = None


class Augmenter(ABC):
    """Rewrites texts so that what is true of them stays true."""

    @classmethod
    @abstractmethod
    def make(cls, config: AgentConfig, teachers: Teachers) -> Self:
        """Set it up for an agent.

        Raises:
            ConfigError: A model can not be loaded, or is none that can do it.
        """

    @abstractmethod
    def rewrite(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        rng: np.random.Generator,
        show: Callable[[float], None] = lambda _: None,
    ) -> list[str]:
        """Make one text of each; where nothing can be changed it comes back as it is.

        Args:
            texts: (rows,) texts.
            classes: (rows,) number of each text's class.
            rng: Source of every random choice.
            show: Told the share that is done (fraction, 0-1).
        """
