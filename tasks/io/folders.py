"""Folders that appear whole or not at all."""

import contextlib
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

TEMPORARY = ".tmp-"


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `final` when the body ends well, and goes otherwise.

    A folder that is already at `final` stays, and the new one goes: names are digests, so both hold the same.
    """
    final.parent.mkdir(parents=True, exist_ok=True)
    temporary = Path(tempfile.mkdtemp(prefix=TEMPORARY, dir=final.parent))
    try:
        yield temporary
        move_whole(temporary, final)
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def move_whole(temporary: Path, final: Path) -> None:
    """Bring a finished folder's files to the disk and give it its name, unless another one came first."""
    for path in (*temporary.rglob("*"), temporary):
        _sync(path)
    if not final.exists():
        try:
            temporary.rename(final)
        except OSError:
            if not final.is_dir():  # if it is, another process came first, and its folder serves
                raise
        _sync(final.parent)


def _sync(path: Path) -> None:
    """Bring a file, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
