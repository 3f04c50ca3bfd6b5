"""Which versions of other people's libraries our code runs on, as one digest."""

import re
from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from tasks.io.digests import digest_of, file_digest

LOCK = "requirements.lock"


def lock_digest(libraries: Iterable[str], root: Path | None = None) -> str:
    """Give the sha256 of the lock file; without a checkout, the digest of what is installed in its place.

    Args:
        libraries: Distributions that our code imports; where there is no lock file, the installed versions
            of these and of all that they require are digested.
        root: Folder of the lock file; by default the checkout that this code runs from.
    """
    lock = (root or Path(__file__).parents[2]) / LOCK
    return file_digest(lock) if lock.is_file() else digest_of(installed(libraries))


def installed(libraries: Iterable[str]) -> dict[str, str]:
    """Give the installed version of each distribution and of what they require, less optional parts."""
    found: dict[str, str] = {}
    todo = list(libraries)
    while todo:
        name = re.sub(r"[-_.]+", "-", todo.pop()).lower()
        if name in found:
            continue
        try:
            known = distribution(name)
        except PackageNotFoundError:
            continue  # for another system, or an optional part
        found[name] = known.version
        required = [text for text in known.requires or () if "extra ==" not in text]
        todo += [match[0] for text in required if (match := re.match(r"[\w.-]+", text))]
    return found
