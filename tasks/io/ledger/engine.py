"""Open the ledger's database, bring its tables up to date, and hand out transactions.

SQLite gets WAL, a busy timeout and transactions that take the write lock at their start, so that
reading before writing is one step there as it is with row locks on Postgres.
"""

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import OperationalError
from sqlalchemy.pool import NullPool

from models.errors import LedgerError, TransientError
from tasks.io.ledger.tables import HEAD, VERSION_TABLE

BUSY_SECONDS = 30.0
_MIGRATION_LOCK = 7153_2026
"""Key of Postgres' advisory lock around migrations."""


def open_ledger(url: str) -> Engine:
    """Open the ledger at a SQLAlchemy URL (SQLite or Postgres) and migrate it where needed."""
    address = make_url(url)
    if address.get_backend_name() == "sqlite":
        if address.database and address.database != ":memory:":
            Path(address.database).parent.mkdir(parents=True, exist_ok=True)
        engine = create_engine(address, connect_args={"timeout": BUSY_SECONDS}, poolclass=NullPool)
        event.listen(engine, "connect", _prepare_sqlite)
        event.listen(engine, "begin", _begin_sqlite)
    else:
        # Each step opens the ledger for itself; a pool would keep a connection a step.
        engine = create_engine(address, poolclass=NullPool)
    with reading(engine) as connection:
        current = _version(connection)
    if current != HEAD:
        _migrate(engine)
    return engine


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection for SELECTs; each sees what was committed before it."""
    with _clear_errors(), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a transaction that is committed at the end, or rolled back on an error.

    Raises:
        TransientError: If the database stays locked or can not be reached.
        LedgerError: If the SQLite file is not usable.
    """
    with _clear_errors(), engine.connect() as connection:
        marked = connection.execution_options(quickstudy_writes=True)
        with marked.begin():
            yield marked


@contextmanager
def _clear_errors() -> Iterator[None]:
    try:
        yield
    except OperationalError as error:
        if isinstance(error.orig, sqlite3.Error) and not re.search("locked|busy", str(error.orig)):
            raise LedgerError(
                f"The ledger's database does not work: {error.orig}. Check that its file can be written and "
                "is a ledger (QUICKSTUDY_DB)."
            ) from error
        raise TransientError(
            f"The ledger's database is busy or can not be reached: {error.orig}. Run again when it answers."
        ) from error


def _prepare_sqlite(connection: sqlite3.Connection, _record: object) -> None:
    connection.isolation_level = None  # transactions are begun by _begin_sqlite
    connection.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")
    if connection.execute("PRAGMA journal_mode").fetchone()[0] != "wal":
        connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")


def _begin_sqlite(connection: Connection) -> None:
    writes = connection.get_execution_options().get("quickstudy_writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


def _version(connection: Connection) -> str | None:
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    version: str | None = connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}"))  # noqa: S608
    return version


def _migrate(engine: Engine) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations"))
    with writing(engine) as connection:
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _MIGRATION_LOCK})
        if _version(connection) != HEAD:  # another process may have been first
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
