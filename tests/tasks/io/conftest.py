"""A fresh record for each test, copied from an MLflow store that is made once, and a tiny trained model."""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.io.books import Books, open_books
from tasks.io.model_package import stored_digest


def _open(home: Path) -> Books:
    ledger, artifacts = f"sqlite:///{home / 'quickstudy.db'}", str(home / "mlartifacts")
    return open_books(f"sqlite:///{home / 'mlflow.db'}", ledger, artifacts, home / "scratch")


@pytest.fixture(scope="session")
def empty_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make an empty MLflow store and ledger once; MLflow's migration takes seconds."""
    home = tmp_path_factory.mktemp("empty-home")
    _open(home)
    return home


@pytest.fixture
def books(empty_home: Path, tmp_path: Path) -> Books:
    """Open a record of the test's own."""
    home = tmp_path / "home"
    home.mkdir()
    shutil.copyfile(empty_home / "mlflow.db", home / "mlflow.db")
    return _open(home)


@pytest.fixture
def add_version(books: Books) -> Callable[[str], int]:
    """Give a function that registers a version with a small file of its own, as quickstudy would tag it."""

    def add(agent: str = "agent") -> int:
        client = books.client
        if not client.search_registered_models(f"name = '{agent}'"):
            client.create_registered_model(agent)
        count = len(client.search_model_versions(f"name = '{agent}'"))
        folder = books.scratch / f"{agent}-{count}"
        folder.mkdir()
        (folder / "MLmodel").write_text(folder.name)
        tags = {"quickstudy.training_digest": folder.name, "quickstudy.stored_digest": stored_digest(folder)}
        return int(client.create_model_version(agent, str(folder), tags=tags).version)

    return add


class StoppedError(Exception):
    """What `stopping_at` raises where a kill would strike."""


@pytest.fixture
def stopping_at(books: Books) -> Callable[[str], Books]:
    """Give a function that makes the record fail at a named point."""

    def stopping(point: str) -> Books:
        def fault(here: str) -> None:
            if here == point:
                raise StoppedError(here)

        return replace(books, fault=fault)

    return stopping
