"""More texts by joining halves of two of the same class; it needs no model."""

from collections.abc import Callable, Sequence
from typing import Self

import numpy as np

from models.augment.base import Augmenter, Teachers
from models.schemas import AgentConfig


class Crossover(Augmenter):
    """Join the first half of a text with the second half of another of its class, by words.

    Luque, "Atalaya at TASS 2019: Data Augmentation and Robust Embeddings for Sentiment Analysis", 2019,
    arXiv:1909.11241, sec. 3.2: instance crossover.
    """

    @classmethod
    def make(cls, config: AgentConfig, teachers: Teachers) -> Self:
        """Need nothing."""
        del config, teachers
        return cls()

    def rewrite(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        rng: np.random.Generator,
        show: Callable[[float], None] = lambda _: None,
    ) -> list[str]:
        """Join each text with one that is drawn from its class; the only one of a class stays as it is."""
        words = [text.split() for text in texts]
        partners = _partners(classes, rng)
        show(1.0)
        return [
            " ".join(words[i][: (len(words[i]) + 1) // 2] + words[j][(len(words[j]) + 1) // 2 :])
            for i, j in enumerate(partners.tolist())
        ]


def _partners(classes: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Give each row another one of its class, drawn evenly; itself where it is the only one."""
    order = np.argsort(classes, kind="stable")
    counts = np.bincount(classes, minlength=int(classes.max(initial=-1)) + 1)
    place = np.empty(len(classes), np.int64)
    place[order] = np.arange(len(classes)) - np.repeat(np.cumsum(counts) - counts, counts)
    others = np.maximum(counts[classes] - 1, 1)
    step = 1 + (rng.random(len(classes)) * others).astype(np.int64)
    starts = (np.cumsum(counts) - counts)[classes]
    partners: np.ndarray = order[starts + (place + step) % counts[classes]]
    return partners
