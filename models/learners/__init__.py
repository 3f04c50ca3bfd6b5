"""The learners by name; a new one is a file, a line here, and a line in the contract test."""

from collections.abc import Mapping
from dataclasses import fields
from typing import get_args

from models.learners.anil import ANIL
from models.learners.base import EpisodeBatch, Inputs, Learner, MetaGradient, Network, Params, Shots
from models.learners.fine_tune import FineTune
from models.learners.heads import HeadStart
from models.learners.imaml import IMAML
from models.learners.maml import MAML
from models.learners.meta_sgd import MetaSGD
from models.learners.prototypical import Prototypical
from models.learners.reptile import Reptile
from models.learners.ridge import Ridge

LEARNERS: dict[str, type[Learner]] = {
    learner.name: learner for learner in (ANIL, FineTune, IMAML, MAML, MetaSGD, Prototypical, Reptile, Ridge)
}

__all__ = [
    "LEARNERS",
    "EpisodeBatch",
    "Inputs",
    "Learner",
    "MetaGradient",
    "Network",
    "Params",
    "Shots",
    "make_learner",
]


def make_learner(name: str, settings: Mapping[str, bool | int | float | str]) -> Learner:
    """Make a learner from plain values, as a description holds them.

    Raises:
        ValueError: There is no such learner or setting, or a value is of another kind.
        ConfigError: A value is out of its range.
    """
    kind = LEARNERS.get(name)
    if kind is None:
        raise ValueError(f"learner is {name!r}; it must be one of {', '.join(LEARNERS)}")
    known = {one.name: one for one in fields(kind)}  # type: ignore[arg-type]  # every learner is a dataclass
    for key, value in settings.items():
        if key not in known:
            raise ValueError(f"learner {name!r} has no setting {key!r}; it has {', '.join(known)}")
        _check_kind(key, value, known[key].default)
    return kind(**settings)


def _check_kind(key: str, value: object, default: object) -> None:
    if key == "head":
        if value not in get_args(HeadStart):
            raise ValueError(f"head is {value!r}; it must be one of {', '.join(get_args(HeadStart))}")
        return
    fits = isinstance(value, type(default)) or (isinstance(default, float) and isinstance(value, int))
    if not fits or (isinstance(value, bool) and not isinstance(default, bool)):
        raise ValueError(f"{key} is {value!r}; it must be like its default, {default!r}")
