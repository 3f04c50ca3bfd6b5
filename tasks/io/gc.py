"""Remove what nobody needs any more: cache, snapshots, trainings, evaluations, wheels, bases, leftovers.

Kept, however old: whatever a registered version's run, a version's tag, a verdict or a move of the ledger
names by address or by digest; what changed lately; and a training whose lock is held.
"""

import contextlib
import json
import logging
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tasks.io.books import Books
from tasks.io.file_lock import is_locked
from tasks.io.ledger import agents, decisions, history
from tasks.io.tracking import read_record
from tasks.io.versions import VersionInfo, registered_agents, versions
from tasks.io.working import working_folder

logger = logging.getLogger(__name__)

_DAY = 86_400.0
_RECENT_SECONDS = 3600.0
_SHORTEST_NAME = 12


@dataclass(frozen=True)
class Retention:
    """How many days what nobody names is kept after its last change.

    Args:
        cache: Results of cached steps, and tokenized data.
        snapshots: Data snapshots.
        trainings: Trainings with their checkpoints, and evaluations.
        wheels: Built wheels, fetched models, and bases of tuned ones.
        temporary: What a killed process was building.
    """

    cache: float = 30
    snapshots: float = 90
    trainings: float = 30
    wheels: float = 30
    temporary: float = 1


@dataclass(frozen=True)
class Garbage:
    """Something that may go: where, what it is, its size in bytes, and days since its last change."""

    path: Path
    kind: str
    size: int
    days: float


@dataclass(frozen=True)
class Named:
    """What the record names: paths, and digests."""

    paths: frozenset[str]
    digests: frozenset[str]

    def holds(self, path: Path) -> bool:
        """Say whether a file or folder is named: by its path, a path in it, or a digest as its name."""
        own = str(path.resolve())
        if any(named == own or named.startswith(f"{own}/") for named in self.paths):
            return True
        name = path.name.rpartition("-")[2].partition(".")[0]
        return len(name) >= _SHORTEST_NAME and any(digest.startswith(name) for digest in self.digests)


def find_garbage(books: Books, root: Path, retention: Retention) -> tuple[Garbage, ...]:
    """List what may go below the state folder `root`, largest first; nothing is removed."""
    named = named_by_record(books)
    found = []
    for kind, days, path in _candidates(root, books.scratch, retention):
        if named.holds(path) or is_locked(path):
            continue
        size, changed = _measure(path)
        age = time.time() - changed
        if age > max(days * _DAY, _RECENT_SECONDS):
            found.append(Garbage(path, kind, size, age / _DAY))
    return tuple(sorted(found, key=lambda item: (-item.size, str(item.path))))


def remove(books: Books, garbage: tuple[Garbage, ...]) -> int:
    """Remove what `find_garbage` listed, unless somebody took it up since; give the freed bytes."""
    freed = 0
    for item in garbage:
        if is_locked(item.path) or time.time() - _measure(item.path)[1] < _RECENT_SECONDS:
            continue
        with working_folder(books.scratch) as grave, contextlib.suppress(FileNotFoundError):
            item.path.rename(grave / "gone")  # at once, so that no reader ever sees half of it
            freed += item.size
    logger.info("Removed %d things, %.1f MB", len(garbage), freed / 1e6)
    return freed


def named_by_record(books: Books) -> Named:
    """Collect every path and digest that registry and ledger name."""
    texts: set[str] = set()
    for agent in sorted({*agents(books.ledger), *registered_agents(books)}):
        for info in versions(books, agent):
            texts |= {*info.tags.values(), info.source, *_refs_of_run(books, info)}
        texts |= {decision.snapshot for decision in decisions(books.ledger, agent)}
        texts |= {value for move in history(books.ledger, agent) for value in move.evidence.values()}
    paths = {text.removeprefix("file://") for text in texts if "/" in text}
    return Named(frozenset(str(Path(path).resolve()) for path in paths), frozenset(texts - paths))


def _refs_of_run(books: Books, info: VersionInfo) -> set[str]:
    """Collect addresses and digests from the records that a version's run stored."""
    if info.run_id is None:
        return set()
    names = [f.path for f in books.client.list_artifacts(info.run_id) if f.path.endswith(".json")]
    return {ref for name in names for ref in _refs(json.loads(read_record(books, info.run_id, name)))}


def _refs(value: Any) -> Iterator[str]:  # noqa: ANN401 - JSON
    if isinstance(value, dict):
        yield from (value[key] for key in ("address", "digest") if isinstance(value.get(key), str))
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _refs(item)


def _candidates(root: Path, scratch: Path, retention: Retention) -> Iterator[tuple[str, float, Path]]:
    """List what could go at all, with its kind and its days."""
    wholes = {"snapshots": retention.snapshots, "encoded": retention.cache}
    wholes |= {
        "bases": retention.wheels,
        "trainings": retention.trainings,
        "evaluations": retention.trainings,
    }
    for kind, days in wholes.items():
        for path in _children(root / kind):
            temporary = path.name.startswith((".tmp-", "tmp-"))
            yield ("temporary", retention.temporary, path) if temporary else (kind, days, path)
    for path in _children(root / "cache" / "results"):
        yield "cache", retention.cache, path
    for path in _children(root / "cache" / "runs"):
        yield "cache", retention.cache, path
    for path in _children(scratch):
        if path.name in ("wheels", "fetched"):
            for built in _children(path):
                yield "wheels", retention.wheels, built
        else:
            yield "temporary", retention.temporary, path


def _children(folder: Path) -> list[Path]:
    return sorted(folder.iterdir()) if folder.is_dir() else []


def _measure(path: Path) -> tuple[int, float]:
    """Give the size in bytes and the last change of a file or of anything in a folder."""
    size, changed = 0, 0.0
    for item in (path, *path.rglob("*")):
        try:
            stat = item.lstat()
        except FileNotFoundError:
            changed = time.time()  # somebody works here
            continue
        size += 0 if item.is_dir() else stat.st_size
        changed = max(changed, stat.st_mtime)
    return size, changed
