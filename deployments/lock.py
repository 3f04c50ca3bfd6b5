"""Keep requirements.lock: `python -m deployments.lock` writes it, `--check` compares.

Lines are `name==version`, with a marker where every path to the package has one. Neither hashes nor
addresses: a user's own index or build of torch serves as well.
"""

import argparse
import re
import sys
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

LOCK = Path(__file__).parents[1] / "requirements.lock"
ROOT, EXTRAS = "quickstudy", ("dev", "peft", "postgres", "text", "tune")
_HEAD = "# Made by `make lock`. torch is installed first: see the Makefile.\n"


def _applies(requirement: Requirement, extras: tuple[str, ...]) -> bool:
    marker = requirement.marker
    return marker is None or any(marker.evaluate({"extra": extra}) for extra in extras or ("",))


def _outer_marker(requirement: Requirement) -> str | None:
    """Give a requirement's marker without its `extra` part; None where there is none left."""
    text = str(requirement.marker or "")
    parts = [p.strip() for p in re.split(r"\band\b", text) if p.strip() and "extra" not in p]
    if not parts or " or " in text:
        return None
    return " and ".join(parts).strip("() ")


def _found(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None


def locked() -> dict[str, str]:
    """Give name -> lock line for everything that the project and its extras need here."""
    markers: dict[str, set[str | None]] = {}
    todo: list[tuple[str, tuple[str, ...]]] = [(ROOT, EXTRAS)]
    done: set[tuple[str, tuple[str, ...]]] = set()
    while todo:
        name, extras = todo.pop()
        found = _found(name)
        if (name, extras) in done or found is None:
            continue
        done.add((name, extras))
        for requirement in map(Requirement, found.requires or ()):
            if _applies(requirement, ("", *extras)):
                child = canonicalize_name(requirement.name)
                markers.setdefault(child, set()).add(_outer_marker(requirement))
                todo.append((child, tuple(sorted(requirement.extras))))
    return {name: _line(name, found) for name, found in sorted(markers.items()) if _found(name)}


def _line(name: str, markers: set[str | None]) -> str:
    version = distribution(name).version.partition("+")[0]
    suffix = "" if None in markers else " ; " + " or ".join(sorted(m for m in markers if m))
    return f"{name}=={version}{suffix}"


def main() -> None:
    """Write the lock file, or compare it with what is installed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="fail if the lock file is not what is installed")
    text = _HEAD + "\n".join(locked().values()) + "\n"
    if not parser.parse_args().check:
        LOCK.write_text(text)
    elif LOCK.read_text() != text:
        sys.exit("requirements.lock differs from what is installed; run `make lock`")


if __name__ == "__main__":
    main()
