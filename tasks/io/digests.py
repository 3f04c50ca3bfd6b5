"""Digests of values, files and folders; records count by content, never by where they lie."""

import hashlib
import json
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from models.errors import ArtifactError
from models.schemas import ArtifactRef


def canonical(value: Any) -> Any:  # noqa: ANN401 - any JSON-like value
    """Turn a value into plain JSON; an artifact's address is left out, its digest stays."""
    if isinstance(value, ArtifactRef):
        return {"digest": value.digest}
    if isinstance(value, BaseModel):
        return {name: canonical(getattr(value, name)) for name in type(value).model_fields}
    if isinstance(value, dict):
        return {str(key): canonical(item) for key, item in sorted(value.items())}
    if isinstance(value, list | tuple | set | frozenset):
        items = [canonical(item) for item in value]
        return items if isinstance(value, list | tuple) else sorted(items)
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def digest_of(value: Any) -> str:  # noqa: ANN401 - any JSON-like value
    """Give the sha256 of a value's canonical JSON."""
    text = json.dumps(canonical(value), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()


def file_digest(path: Path) -> str:
    """Give the sha256 of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def folder_digest(folder: Path) -> str:
    """Give the sha256 over the sorted relative names and contents of a folder's files."""
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return digest_of([[p.relative_to(folder).as_posix(), file_digest(p)] for p in files])


def ref_to(path: Path) -> ArtifactRef:
    """Describe a file or folder by address and digest."""
    digest = folder_digest(path) if path.is_dir() else file_digest(path)
    return ArtifactRef(address=str(path), digest=digest)


def checked(ref: ArtifactRef) -> Path:
    """Give an artifact's path after comparing its content with its digest.

    Raises:
        ArtifactError: It is gone or has another content.
    """
    path = Path(ref.address)
    if not path.exists():
        raise ArtifactError(f"{path} is gone. Run the step that made it again (`quickstudy train AGENT`).")
    found = ref_to(path).digest
    if found != ref.digest:
        raise ArtifactError(
            f"{path} has the digest {found[:12]}, recorded was {ref.digest[:12]}: it was changed after "
            "it was made. Delete it and run the step again."
        )
    return path
