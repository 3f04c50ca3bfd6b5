"""Snapshots on disk: one folder each, named by the digest of what it holds, whole or not at all."""

import json
from contextlib import AbstractContextManager
from pathlib import Path

from pydantic import ValidationError

from models.errors import ArtifactError
from models.schemas import ArtifactRef, DatasetSnapshot
from tasks.io.digests import folder_digest
from tasks.io.folders import move_whole
from tasks.io.working import sweep, working_folder

ROWS = "rows.parquet"
QUARANTINE = "quarantine.parquet"
RECORD = "snapshot.json"


def work_folder(home: Path) -> AbstractContextManager[Path]:
    """Give a temporary folder under `home/snapshots`; folders that killed runs left there are removed."""
    sweep(home / "snapshots")
    return working_folder(home / "snapshots")


def store(content: Path, home: Path, record: DatasetSnapshot) -> DatasetSnapshot:
    """Move finished content to its place; the same content found there already is used as it is.

    Args:
        content: A folder with rows and quarantine, on the disk of `home`.
        home: Root of the state.
        record: The snapshot; its artifact is filled in here.
    """
    plain = record.model_dump(mode="json", exclude={"artifact"})
    (content / RECORD).write_text(json.dumps(plain, indent=1, sort_keys=True) + "\n", "utf-8")
    digest = folder_digest(content)
    final = home / "snapshots" / digest
    move_whole(content, final)
    return record.model_copy(update={"artifact": ArtifactRef(address=str(final), digest=digest)})


def load_snapshot(name: str | Path, home: Path | None = None) -> DatasetSnapshot:
    """Read a snapshot's record.

    Args:
        name: Its folder; or, with `home`, its digest or the beginning of that.
        home: Root of the state.

    Raises:
        ArtifactError: There is none, or its record can't be read.
    """
    folder = Path(name)
    if home is not None and not folder.is_dir():
        found = sorted((home / "snapshots").glob(f"{name}*")) if str(name) else []
        if len(found) != 1:
            raise ArtifactError(f"{len(found)} snapshots under {home} begin with {str(name)!r}; name one.")
        folder = found[0]
    path = folder / RECORD
    try:
        values = json.loads(path.read_text("utf-8"))
        artifact = ArtifactRef(address=str(folder), digest=folder.name)
        return DatasetSnapshot.model_validate({**values, "artifact": artifact})
    except FileNotFoundError as error:
        raise ArtifactError(f"{folder} holds no snapshot. Run ingest again.") from error
    except (ValueError, TypeError, ValidationError) as error:
        raise ArtifactError(f"{path} is no snapshot's record: {str(error).splitlines()[0]}") from error


def verify(snapshot: DatasetSnapshot) -> None:
    """Compare a snapshot's content with its digest.

    Raises:
        ArtifactError: It is gone or was changed.
    """
    folder = Path(snapshot.artifact.address)
    if not folder.is_dir():
        raise ArtifactError(f"Snapshot {folder} is gone. Run ingest again.")
    found = folder_digest(folder)
    if found != snapshot.artifact.digest:
        raise ArtifactError(
            f"Snapshot {folder} has the digest {found[:12]}, recorded was {snapshot.artifact.digest[:12]}: "
            "it was changed after it was made. Delete it and run ingest again."
        )
