"""Which libraries of other people our code runs on: what is installed of them, and one digest of it."""

from collections.abc import Sequence
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tasks.io.digests import digest_of, file_digest

LOCK = "requirements.lock"


def lock_digest(libraries: Sequence[str], root: Path | None = None) -> str:
    """Give the sha256 of the lock file; without a checkout, the digest of what is installed in its place.

    Args:
        libraries: Distributions that our code imports; where there is no lock file, the installed versions
            of these and of all that they require are digested.
        root: Folder of the lock file; by default the checkout that this code runs from.
    """
    lock = (root or Path(__file__).parents[2]) / LOCK
    if lock.is_file():
        return file_digest(lock)
    return digest_of({canonicalize_name(found.name): found.version for found in closure(libraries)})


def closure(requirements: Sequence[str]) -> list[Distribution]:
    """Follow requirements to every installed distribution that they pull in here."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    todo = [(Requirement(line), "") for line in requirements]
    while todo:
        wanted, extra = todo.pop()
        if wanted.marker and not wanted.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(wanted.name)
        try:
            found.setdefault(name, distribution(wanted.name))
        except PackageNotFoundError:
            continue  # what is not installed can not be linked; the load shows whether it matters
        for asked in {"", *wanted.extras} - {e for n, e in seen if n == name}:
            seen.add((name, asked))
            todo += [(Requirement(line), asked) for line in found[name].requires or ()]
    return list(found.values())
