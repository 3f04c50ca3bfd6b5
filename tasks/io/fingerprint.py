"""What a source holds now, told without reading it into rows."""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import fsspec
from fsspec.implementations.local import LocalFileSystem

from models.errors import ConfigError
from models.schemas import SourceConfig
from tasks.io.digests import file_digest
from tasks.io.sources.address import fill


def source_fingerprint(source: SourceConfig) -> str | None:
    """Digest a source's present content; None where that can't be told without reading it all.

    Local files count by content, remote ones by what their file system says (ETag, time, size).
    A database may change at any time, and a hub's data set behind our back: they give None.
    """
    if source.format in {"sql", "huggingface"}:
        return None
    address = fill(source.address)
    files = fsspec.open_files(address.text)  # type: ignore[no-untyped-call] # fsspec has no types
    if not files:
        return "no file"
    total = hashlib.sha256()
    for file in files:
        local = isinstance(file.fs, LocalFileSystem)
        found = file_digest(Path(file.path)) if local else str(file.fs.ukey(file.path))
        total.update(f"{Path(address.hide(file.path)).name} {found}\n".encode())
    return total.hexdigest()


def sources_fingerprint(sources: Sequence[SourceConfig]) -> list[str] | None:
    """Digest several sources in order; None if one of them can't be told."""
    try:
        found = [source_fingerprint(source) for source in sources]
    except (OSError, ValueError, ImportError, ConfigError):
        return None  # ingest meets the same fault and says what is wrong
    return None if any(f is None for f in found) else [f for f in found if f]
