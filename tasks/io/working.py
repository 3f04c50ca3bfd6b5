"""Folders to work in: gone when the work ends, and told apart from others' when a process was killed in it.

A folder's name says which process made it, so the next run can remove what a dead one left.
"""

import contextlib
import hashlib
import logging
import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tasks.io.process_identity import ProcessId, this_machine, this_process

logger = logging.getLogger(__name__)

TEMPORARY = ".tmp-"
_NAMED = re.compile(r"\.tmp-([0-9a-f]{8})-(\d+)-(\d+)-.+")


@contextlib.contextmanager
def working_folder(parent: Path) -> Iterator[Path]:
    """Give a new folder in `parent`, which is made if need be; it is gone after the body."""
    parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=_prefix(), dir=parent))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def sweep(*parents: Path) -> None:
    """Remove the working folders of processes that are known to be dead."""
    for parent in parents:
        for folder in parent.glob(f"{TEMPORARY}*"):
            if _is_left_over(folder.name):
                logger.info("Removing %s, which a process that is gone left", folder)
                shutil.rmtree(folder, ignore_errors=True)


def _prefix() -> str:
    process = this_process()
    return f"{TEMPORARY}{_short(process.machine)}-{process.pid}-{int(process.started)}-"


def _is_left_over(name: str) -> bool:
    named = _NAMED.fullmatch(name)
    if named is None or named[1] != _short(this_machine()):
        return False
    return ProcessId(this_machine(), int(named[2]), int(named[3])).is_dead()


def _short(machine: str) -> str:
    return hashlib.sha256(machine.encode()).hexdigest()[:8]
