"""The champion as somebody to compare with: its files, its rows and its record must be whole.

A challenger can't be compared with a champion that is damaged, or that somebody else made; yet such a
champion must not keep the agent from ever being trained again.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from pydantic import ValidationError

from models.errors import ArtifactError, RegistryError
from tasks.io.books import Books
from tasks.io.champion import Champion, read_version
from tasks.io.snapshot_store import verify
from tasks.io.versions import champion_version, is_missing

logger = logging.getLogger(__name__)

V = TypeVar("V")
Reads = Callable[[Books, str, int], V]
"""Describes a version of a registered model from what its run recorded."""


@dataclass(frozen=True)
class Unusable:
    """A champion that nobody can be compared with: its version, and why."""

    version: int
    reason: str

    def __str__(self) -> str:
        """Say it in one sentence or two."""
        return f"Version {self.version} is champion and can not be compared with. {self.reason}"


def sound_version(books: Books, agent: str, version: int) -> Champion:
    """Describe a version, all of which a comparison stands on checked.

    Raises:
        RegistryError: There is no such version, it is not one of ours, or its run's record is lost.
        ArtifactError: Its files, or the rows that it learned from, are gone or changed.
    """
    found = read_soundly(read_version, books, agent, version)
    verify(found.snapshot)
    return found


def read_soundly(read: Reads[V], books: Books, agent: str, version: int) -> V:
    """Describe a version; whatever its record lacks becomes one kind of error.

    Raises:
        RegistryError: There is no such version, it is not one of ours, or its run's record is lost.
        ArtifactError: Its files are gone or changed.
    """
    from mlflow.exceptions import MlflowException

    try:
        return read(books, agent, version)
    except (MlflowException, FileNotFoundError, KeyError, ValidationError) as error:
        if isinstance(error, MlflowException) and not is_missing(error):
            raise
        first_line = (str(error) or type(error).__name__).splitlines()[0]
        raise RegistryError(
            f"What version {version} of {agent!r} was made from can not be read ({first_line})."
        ) from error


def usable_champion(books: Books, agent: str, sound: Reads[V]) -> V | None:
    """Describe the champion; None if there is none, or, said aloud, none that can be compared with."""
    found = _champion(books, agent, sound)
    if isinstance(found, Unusable):
        logger.warning("%s: %s A challenger has only the baselines to beat.", agent, found)
        return None
    return found


def unusable_champion(books: Books, agent: str, sound: Reads[V]) -> Unusable | None:
    """Say which champion can not be compared with, and why; None if there is none or it can."""
    found = _champion(books, agent, sound)
    return found if isinstance(found, Unusable) else None


def required_champion(books: Books, agent: str) -> Champion | None:
    """Describe the champion; None if there is none.

    Raises:
        RegistryError: It can not be compared with.
    """
    found = _champion(books, agent, sound_version)
    if isinstance(found, Unusable):
        raise RegistryError(
            f"{found} Run `quickstudy train {agent}`: its version has only the baselines to beat. "
            f"Or go back to the champion before: `quickstudy rollback {agent}`."
        )
    return found


def _champion(books: Books, agent: str, sound: Reads[V]) -> V | Unusable | None:
    version = champion_version(books, agent)
    if version is None:
        return None
    try:
        return sound(books, agent, version)
    except (RegistryError, ArtifactError) as error:
        return Unusable(version, str(error))
