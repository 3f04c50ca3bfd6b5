"""Opening the ledger."""

import subprocess
import sys
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, inspect

from models.errors import LedgerError
from tasks.io.ledger import agents, open_ledger
from tasks.io.ledger import engine as module
from tasks.io.ledger.tables import HEAD, Base

ROOT = Path(__file__).parents[4]


def test_an_empty_database_gets_every_table(ledger: Engine):
    """Migrations make the tables, columns and keys that the code describes."""
    found = inspect(ledger)
    for table in Base.metadata.sorted_tables:
        assert {c["name"] for c in found.get_columns(table.name)} == {c.name for c in table.columns}
        assert found.get_pk_constraint(table.name)["constrained_columns"] == [
            c.name for c in table.primary_key
        ]


def test_indexes_are_those_described(ledger: Engine):
    """Migrations make the indexes that the code describes."""
    for table in Base.metadata.sorted_tables:
        found = {
            index["name"]
            for index in inspect(ledger).get_indexes(table.name)
            if not index.get("duplicates_constraint")
        }
        assert found == {index.name for index in table.indexes}


def test_head_is_the_newest_migration():
    """The version that the code takes for the newest is Alembic's newest."""
    config = Config()
    config.set_main_option("script_location", str(Path(module.__file__).parent / "migrations"))
    assert ScriptDirectory.from_config(config).get_current_head() == HEAD


def test_opening_twice_changes_nothing(url: str):
    """A ledger that is there is opened without a migration."""
    open_ledger(url).dispose()
    again = open_ledger(url)
    assert agents(again) == ()
    again.dispose()


@pytest.mark.system
def test_two_processes_may_open_a_new_ledger_at_once(url: str):
    """Migrations of processes that start together follow each other."""
    code = f"from tasks.io.ledger import open_ledger, agents; print(agents(open_ledger({url!r})))"
    started = [
        subprocess.Popen(
            [sys.executable, "-c", code], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        for _ in range(4)
    ]
    assert [process.communicate()[0].strip() for process in started] == [b"()"] * 4


def test_a_file_that_is_no_database_is_refused(tmp_path: Path):
    """The error names the setting to mend."""
    (tmp_path / "ledger.db").mkdir()
    with pytest.raises(LedgerError, match="QUICKSTUDY_DB"):
        open_ledger(f"sqlite:///{tmp_path / 'ledger.db'}")
