"""Files that appear whole or not at all, and the digest of a folder."""

import contextlib
import hashlib
import json
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from models.schemas import ArtifactRef


def write_whole(path: Path, text: str, durable: bool = True) -> None:
    """Write a text file that no reader sees half-written.

    Args:
        path: The file; it is replaced.
        text: Its content.
        durable: Whether it must outlive a power cut; False spares a heartbeat the wait for the disk.
    """
    temporary = path.with_name(f".{path.name}.tmp")
    with temporary.open("w", encoding="utf-8") as file:
        file.write(text)
        if durable:
            file.flush()
            os.fsync(file.fileno())
    temporary.replace(path)
    if durable:
        sync_folder(path.parent)


@contextlib.contextmanager
def whole_folder(out: Path) -> Iterator[Path]:
    """Give a temporary folder that takes the place of `out` when the body ends well."""
    temporary = out.with_name(f".{out.name}.tmp")
    shutil.rmtree(temporary, ignore_errors=True)
    temporary.mkdir(parents=True)
    yield temporary
    for path in temporary.rglob("*"):
        if path.is_file():
            sync_file(path)
    shutil.rmtree(out, ignore_errors=True)
    temporary.rename(out)
    sync_folder(out.parent)


def sync_file(path: Path) -> None:
    """Wait until a file's content is on the disk."""
    with path.open("rb") as file:
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Wait until a folder's names are on the disk."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def file_digest(path: Path) -> str:
    """Give the sha256 of a file's bytes."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def folder_ref(folder: Path) -> ArtifactRef:
    """Describe a folder as `tasks/io/digests.py` checks it: sha256 over sorted names and contents."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    lines = [[path.relative_to(folder).as_posix(), file_digest(path)] for path in files]
    text = json.dumps(lines, separators=(",", ":"))
    return ArtifactRef(address=str(folder), digest=hashlib.sha256(text.encode()).hexdigest())
