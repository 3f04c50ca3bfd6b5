"""See whether a live process holds a folder's lock file; the kernel drops a dead one's by itself."""

import fcntl
import os
from pathlib import Path

from models.training.job import LOCK


def is_locked(folder: Path) -> bool:
    """Say whether a process trains in `folder` right now."""
    path = folder / LOCK
    if not path.is_file():
        return False
    handle = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
