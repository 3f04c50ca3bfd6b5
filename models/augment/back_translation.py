"""More texts by translating them into another language and back."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Self

import numpy as np

from models.augment.base import Augmenter, Teachers
from models.errors import ConfigError
from models.predictor import Predictor
from models.schemas import AgentConfig

_TEXTS_AT_ONCE = 256


class BackTranslation(Augmenter):
    """Translate texts forth and back by two agents.

    Sennrich, Haddow and Birch, "Improving Neural Machine Translation Models with Monolingual Data", 2016,
    arXiv:1511.06709, as paraphrasing: Yu et al., "QANet", 2018, arXiv:1804.09541, sec. 3. How much copies
    differ is the translators' own affair: agents that sample (`temperature`) give other copies each time,
    others the same one, of which the first is kept.

    Args:
        forth: Translates into the other language.
        back: Translates from it.
    """

    def __init__(self, forth: Predictor, back: Predictor) -> None:
        for one in (forth, back):
            if one.agent.config.adapter != "translation":
                raise ConfigError(
                    f"translators names {one.agent.config.name!r}, an agent of {one.agent.config.adapter}; "
                    "name agents of translation."
                )
        self._forth, self._back = forth, back

    @classmethod
    def make(cls, config: AgentConfig, teachers: Teachers) -> Self:
        """Load both agents.

        Raises:
            ArtifactError: One of them is not a usable model.
            ConfigError: One of them does not translate.
        """
        del config
        if teachers.translators is None:
            raise ConfigError("back_translation needs translators; name two agents.")
        forth, back = (Predictor.load(Path(folder)) for folder in teachers.translators)
        return cls(forth, back)

    def rewrite(
        self,
        texts: Sequence[str],
        classes: np.ndarray,
        rng: np.random.Generator,
        show: Callable[[float], None] = lambda _: None,
    ) -> list[str]:
        """Translate all texts; one that comes back empty stays as it was."""
        del classes
        for agent in (self._forth, self._back):
            agent.agent.model.reseed(int(rng.integers(1 << 31)))
        found: list[str] = []
        for first in range(0, len(texts), _TEXTS_AT_ONCE):
            part = list(texts[first : first + _TEXTS_AT_ONCE])
            there = self._forth.predict(part)["target"].to_pylist()
            back = self._back.predict(there)["target"].to_pylist()
            found += [new or old for new, old in zip(back, part, strict=True)]
            show(len(found) / len(texts))
        return found
