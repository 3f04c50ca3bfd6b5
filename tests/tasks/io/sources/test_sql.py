"""Tables and queries of a real database."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from models.errors import DataError
from models.schemas import SourceConfig
from tasks.io.sources import batches, open_source, sql
from tasks.io.sources.sql import can_pass

ROWS = [("good: 100 %", "a"), ("bad :label", "b"), ("café 😀", "a")]


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.system)])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Give the address of a database with a table `rows`."""
    if request.param == "sqlite":
        sqlite3.connect(tmp_path / "base.db").close()
        address = f"sqlite:///{tmp_path / 'base.db'}"
    else:
        address = request.getfixturevalue("postgres_url")
    engine = sa.create_engine(address)
    table = sa.Table("rows", sa.MetaData(), sa.Column("text", sa.Text), sa.Column("label", sa.Text))
    table.create(engine)
    with engine.begin() as connection:
        connection.execute(table.insert(), [{"text": text, "label": label} for text, label in ROWS])
    yield address
    table.drop(engine)
    engine.dispose()


def read(address: str, query: str) -> list[tuple[str, str]]:
    """Read a source whole."""
    source = open_source(SourceConfig(address=address, format="sql", query=query), "text_classification")
    rows = [row for batch in batches(source) for row in batch.rows.to_pylist()]
    return [(row["text"], row["label"]) for row in rows]


def test_a_table_is_read_by_its_name(database: str):
    """A single word is a table's name."""
    assert read(database, "rows") == ROWS


def test_a_query_is_sent_as_it_stands(database: str):
    """Colons and percent signs in a query are the user's own."""
    assert read(database, "select text, label from rows where text like '%:label'") == [ROWS[1]]
    assert read(database, "select text, label from rows where text like 'good: 100 %'") == [ROWS[0]]


def test_many_rows_come_in_batches(database: str, monkeypatch: pytest.MonkeyPatch):
    """A long result is streamed, and no row is lost between batches."""
    monkeypatch.setattr(sql, "BATCH_ROWS", 100)
    many = "with recursive n(i) as (select 1 union all select i + 1 from n where i < {}) select {} from n"
    text = "cast(i as varchar) as text, 'a' as label"
    found = read(database, many.format(201, text))
    assert [int(text) for text, _ in found] == list(range(1, 202))


def test_a_table_that_is_not_there_is_named(database: str):
    """The database's own words about it are passed on."""
    with pytest.raises(DataError, match="nosuch"):
        read(database, "nosuch")


@pytest.mark.parametrize(
    ("said", "state", "passes"),
    [
        ('FATAL:  password authentication failed for user "me"', None, False),
        ("fe_sendauth: no password supplied", None, False),
        ('FATAL:  database "base" does not exist', None, False),
        ("(1045, \"Access denied for user 'me'@'host' (using password: YES)\")", None, False),
        ("(1049, \"Unknown database 'base'\")", None, False),
        ("in another language", "28P01", False),
        ("in another language", "3D000", False),
        ("the connection is closed", "08006", True),
        ("server closed the connection unexpectedly", None, True),
    ],
)
def test_a_refused_login_is_not_tried_again(said: str, state: str | None, passes: bool):
    """A wrong password or an unknown database stays so; a lost connection may come back."""

    class DriverError(Exception):
        sqlstate = state

    error = sa.exc.OperationalError("select 1", {}, DriverError(said))
    assert can_pass(error, "postgresql") is passes
