"""What a source holds now, told without reading it into rows."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import fsspec
from fsspec.implementations.cached import CachingFileSystem
from fsspec.implementations.local import LocalFileSystem

from models.errors import ConfigError
from models.schemas import SourceConfig
from tasks.io.digests import file_digest
from tasks.io.sources.address import fill
from tasks.io.sources.faults import read_errors


def source_fingerprint(source: SourceConfig) -> str | None:
    """Digest a source's present content; None where that can't be told without reading it all.

    Local files count by content, remote ones by what their file system or server says (version, time, size).
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
        found = _version(file.fs, file.path)
        if found is None:
            return None
        total.update(f"{Path(address.hide(file.path)).name} {found}\n".encode())
    return total.hexdigest()


def _version(system: Any, path: str) -> str | None:  # noqa: ANN401 - fsspec has no types
    if isinstance(system, LocalFileSystem):
        return file_digest(Path(path))
    if isinstance(system, CachingFileSystem):
        return None  # it may speak of its copy
    if "http" not in system.protocol:
        return str(system.ukey(path))
    # The file system's own key is made of the URL alone.
    info = system.info(path)
    version = info.get("ETag") or info.get("Last-Modified")
    return f"{version} {info['size']}" if version else None


def sources_fingerprint(sources: Sequence[SourceConfig]) -> list[str] | None:
    """Digest several sources in order; None if one of them can't be told."""
    try:
        found = [source_fingerprint(source) for source in sources]
    except (ValueError, ImportError, ConfigError):
        return None  # ingest meets the same fault and says what is wrong
    except read_errors():
        return None
    return None if any(f is None for f in found) else [f for f in found if f]
