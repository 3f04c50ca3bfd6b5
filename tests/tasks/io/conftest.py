"""A fresh record for each test, copied from an MLflow store that is made once; servers for tests."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from tasks.io.books import Books, open_books
from tasks.io.model_package import stored_digest
from tests.tasks.io.site import Site, served

_AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


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


@pytest.fixture(scope="session")
def postgres_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a Postgres server of the session's own on a socket; skip where there is none."""
    if not (shutil.which("initdb") and shutil.which("pg_ctl")):
        pytest.skip("Postgres is not installed")
    pytest.importorskip("psycopg")
    folder = Path("/tmp") / f"quickstudy-pg-{os.getpid()}"  # noqa: S108 - a socket's path must be short
    folder.mkdir(mode=0o700)
    wrap: list[str] = []
    if os.geteuid() == 0:  # Postgres refuses to run as root
        if not shutil.which("setpriv") or "postgres" not in {user.pw_name for user in pwd.getpwall()}:
            pytest.skip("Postgres does not run as root, and there is no user postgres")
        shutil.chown(folder, "postgres", "postgres")
        wrap = _AS_POSTGRES
    data = folder / "data"
    subprocess.run(
        [*wrap, "initdb", "-D", data, "-A", "trust", "-U", "quickstudy"], check=True, capture_output=True
    )
    options = f"-k {folder} -c listen_addresses='' -c fsync=off"
    start = [*wrap, "pg_ctl", "-D", data, "-o", options, "-w", "-l", folder / "log", "start"]
    subprocess.run(start, check=True, stdout=subprocess.DEVNULL)
    try:
        yield f"postgresql+psycopg://quickstudy@/postgres?host={folder}"
    finally:
        subprocess.run(
            [*wrap, "pg_ctl", "-D", data, "-m", "immediate", "stop"], check=True, capture_output=True
        )
        shutil.rmtree(folder)


@pytest.fixture
def site() -> Iterator[Site]:
    """Serve one file by HTTP."""
    with served() as answer:
        yield answer
