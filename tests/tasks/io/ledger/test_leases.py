"""Leases: one live process at a time."""

import subprocess
import sys
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from models.errors import LedgerError, TransientError
from tasks.io.ledger import lease
from tasks.io.ledger.engine import writing
from tasks.io.ledger.tables import LeaseRow

ROOT = Path(__file__).parents[4]


def test_a_lease_is_free_again_after_its_block(ledger: Engine):
    """Leaving the block gives the lease back."""
    for _ in range(2):
        with lease(ledger, "x", wait_seconds=0) as held:
            held.check()


def test_a_live_holder_keeps_it(ledger: Engine):
    """A second one waits and then says who holds it."""
    with lease(ledger, "x"), pytest.raises(TransientError, match="'x' is held by process"):  # noqa: SIM117
        with lease(ledger, "x", wait_seconds=0):
            pass


def test_names_are_apart(ledger: Engine):
    """Leases of different names do not wait for each other."""
    with lease(ledger, "x"), lease(ledger, "y", wait_seconds=0) as held:
        held.check()


def test_a_silent_holder_elsewhere_loses_it(ledger: Engine):
    """A lease that ran out on a machine that can not be seen is taken over, and its holder notices."""
    with lease(ledger, "x") as held:
        with writing(ledger) as connection:
            connection.execute(update(LeaseRow).values(machine="elsewhere", expires=0.0))
        with lease(ledger, "x", wait_seconds=0), pytest.raises(LedgerError, match="taken over"):
            held.check()


@pytest.mark.system
def test_a_killed_holder_loses_it_at_once(ledger: Engine, url: str):
    """Nobody waits for a process of this machine that is gone."""
    code = (
        "import os, signal\nfrom tasks.io.ledger import open_ledger, lease\n"
        f"with lease(open_ledger({url!r}), 'x'):\n    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=False).returncode == -9
    with lease(ledger, "x", wait_seconds=0) as held:
        held.check()
