"""Folders that appear whole or not at all."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

from models.training.files import sync_file, sync_folder
from tasks.io.digests import folder_digest
from tasks.io.working import working_folder


@contextlib.contextmanager
def new_folder(final: Path) -> Iterator[Path]:
    """Give a temporary folder that becomes `final` when the body ends well, and goes otherwise.

    A folder that is already at `final` stays, and the new one goes: names are digests, so both hold the same.
    If they do not, the old one was changed after it was made, and the new one takes its place.
    """
    with working_folder(final.parent) as temporary:
        yield temporary
        move_whole(temporary, final)


def move_whole(temporary: Path, final: Path) -> None:
    """Bring a finished folder's files to the disk and give it its name, unless a whole one has it already."""
    for path in (*temporary.rglob("*"), temporary):
        sync_folder(path) if path.is_dir() else sync_file(path)
    if final.exists() and folder_digest(final) != folder_digest(temporary):
        _discard(final)
    if not final.exists():
        try:
            temporary.rename(final)
        except OSError:
            if not final.is_dir():  # if it is, another process came first, and its folder serves
                raise
        sync_folder(final.parent)


def _discard(folder: Path) -> None:
    """Remove a folder at once, so that no reader sees half of it."""
    # Another process may be first.
    with working_folder(folder.parent) as grave, contextlib.suppress(FileNotFoundError):
        folder.rename(grave / "old")
