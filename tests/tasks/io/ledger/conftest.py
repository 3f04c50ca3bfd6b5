"""A ledger on SQLite, and on Postgres where its programs are installed."""

import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tasks.io.ledger import open_ledger

_AS_POSTGRES = ["setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups"]


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


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Give the address of an empty database."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'ledger.db'}"
    address: str = request.getfixturevalue("postgres_url")
    engine = open_ledger(address)
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return address


@pytest.fixture
def ledger(url: str) -> Iterator[Engine]:
    """Open an empty ledger."""
    engine = open_ledger(url)
    yield engine
    engine.dispose()
