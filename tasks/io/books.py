"""The two books that hold the record, MLflow and the ledger, as explicit addresses.

Nothing of MLflow's global state (active run, tracking URI) is read or set.
"""

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlparse

from sqlalchemy import Engine, make_url

from tasks.io.ledger import open_ledger
from tasks.io.working import working_folder

if TYPE_CHECKING:
    from mlflow import MlflowClient

CHAMPION = "champion"
"""The one alias that the ledger keeps."""


def no_fault(point: str) -> None:
    """Do nothing at a named point; tests hand in a function that kills the process there."""


@dataclass(frozen=True)
class Books:
    """Where the record is.

    Args:
        mlflow_uri: MLflow's tracking and registry store.
        ledger: The ledger's database, migrated.
        artifact_root: Folder or URL below which MLflow stores artifacts.
        scratch: Folder for what is being built; anything in it may vanish when nobody works.
        fault: Called with the name of each point where a kill would leave the most behind.
    """

    mlflow_uri: str
    ledger: Engine
    artifact_root: str
    scratch: Path
    fault: Callable[[str], None] = field(default=no_fault, compare=False)

    @property
    def bases(self) -> Path:
        """Give the folder of pretrained weights that tuned versions share, beside the scratch folder."""
        return self.scratch.parent / "bases"

    @property
    def stores_elsewhere(self) -> bool:
        """Tell whether artifacts are stored where this machine's file system does not reach."""
        return urlparse(self.artifact_root).scheme not in ("", "file")

    @property
    def client(self) -> "MlflowClient":
        """Give a client of exactly this MLflow store, whatever the environment says."""
        from mlflow import MlflowClient

        return MlflowClient(tracking_uri=self.mlflow_uri, registry_uri=self.mlflow_uri)


def open_books(mlflow_uri: str, ledger_url: str, artifact_root: str, scratch: Path) -> Books:
    """Open the ledger, and MLflow's store, making either where it is not there yet."""
    scratch.mkdir(parents=True, exist_ok=True)
    books = Books(mlflow_uri, open_ledger(ledger_url), artifact_root, scratch)
    _make_mlflow_store(books)
    return books


def _make_mlflow_store(books: Books) -> None:
    """Make MLflow's SQLite file beside its place and move it there whole.

    MLflow's first migration takes about 10 s and is not one transaction: a kill, or a second process
    that opens the same file meanwhile, would leave a store that nothing opens again.
    """
    address = make_url(books.mlflow_uri)
    if address.get_backend_name() != "sqlite" or not address.database:
        return
    path = Path(address.database)
    if path.exists():
        return
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    with working_folder(path.parent) as folder:
        made = folder / path.name
        store = SqlAlchemyStore(f"sqlite:///{made}", books.artifact_root)  # type: ignore[no-untyped-call] # MLflow's
        store.engine.dispose()
        with suppress(FileExistsError):
            os.link(made, path)  # unlike a rename, it never replaces what another process made
