"""Leases: one live process at a time works on a named thing; a dead or silent holder loses it.

A holder renews its lease from a thread. Another process takes the lease over at once where it can see
that the holder's process is gone (same machine), and after `LEASE_SECONDS` of silence elsewhere. Time is
the database's, so clocks of hosts need not agree.
"""

import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from sqlalchemy import Connection, Engine, delete, insert, select, text, update
from sqlalchemy.exc import IntegrityError

from models.errors import LedgerError, TransientError
from tasks.io.ledger.engine import reading, writing
from tasks.io.ledger.tables import LeaseRow
from tasks.io.process_identity import ProcessId, this_process

LEASE_SECONDS = 30.0
_NOW = {
    "sqlite": "SELECT (julianday('now') - 2440587.5) * 86400.0",
    "postgresql": "SELECT extract(epoch FROM clock_timestamp())",
}


@dataclass(frozen=True)
class Lease:
    """A held lease; `check` before each outside effect."""

    engine: Engine
    name: str
    token: str

    def check(self) -> None:
        """Make sure that the lease is still held.

        Raises:
            LedgerError: If another process took it over.
        """
        with reading(self.engine) as connection:
            token = connection.scalar(select(LeaseRow.token).where(LeaseRow.name == self.name))
        if token != self.token:
            raise LedgerError(
                f"The lease {self.name!r} was taken over by another process, since this one was silent for "
                f"over {LEASE_SECONDS:.0f} s. Nothing was moved; run the command again."
            )


@contextmanager
def lease(engine: Engine, name: str, wait_seconds: float = 60.0) -> Iterator[Lease]:
    """Hold the lease `name` for the block, waiting for a live holder up to `wait_seconds`.

    Raises:
        TransientError: If a live process keeps it longer than that.
    """
    held = Lease(engine, name, uuid.uuid4().hex)
    _acquire(held, wait_seconds)
    stop = threading.Event()
    heart = threading.Thread(target=_renew, args=(held, stop), name=f"lease {name}", daemon=True)
    heart.start()
    try:
        yield held
    finally:
        stop.set()
        heart.join()
        _release(held)


def _acquire(held: Lease, wait_seconds: float) -> None:
    deadline = time.monotonic() + wait_seconds
    pause = 0.02
    while True:
        holder = _try_acquire(held)
        if holder is None:
            return
        if time.monotonic() > deadline:
            raise TransientError(
                f"{held.name!r} is held by {holder}, which is alive, for over {wait_seconds:.0f} s. "
                "Wait until it is done, or end it, and run again."
            )
        time.sleep(pause)
        pause = min(2 * pause, 0.5)


def _try_acquire(held: Lease) -> str | None:
    """Take the lease if it is free; otherwise name its holder."""
    try:
        with writing(held.engine) as connection:
            row = connection.execute(
                select(LeaseRow.__table__).where(LeaseRow.name == held.name).with_for_update()
            ).first()
            now = _now(connection)
            if (
                row is not None
                and row.expires > now
                and not ProcessId(row.machine, row.pid, row.started).is_dead()
            ):
                return f"process {row.pid} on {row.machine.split('/')[0]}"
            connection.execute(delete(LeaseRow).where(LeaseRow.name == held.name))
            connection.execute(insert(LeaseRow).values(_values(held, now)))
    except IntegrityError:
        return "a process that was first"
    return None


def _values(held: Lease, now: float) -> dict[str, object]:
    return {
        "name": held.name,
        "token": held.token,
        **asdict(this_process()),
        "expires": now + LEASE_SECONDS,
    }


def _renew(held: Lease, stop: threading.Event) -> None:
    while not stop.wait(LEASE_SECONDS / 3):
        try:
            with writing(held.engine) as connection:
                connection.execute(
                    update(LeaseRow)
                    .where(LeaseRow.name == held.name, LeaseRow.token == held.token)
                    .values(expires=_now(connection) + LEASE_SECONDS)
                )
        except TransientError:
            continue  # the next beat tries again; `check` sees a lease that was lost


def _release(held: Lease) -> None:
    with writing(held.engine) as connection:
        connection.execute(delete(LeaseRow).where(LeaseRow.name == held.name, LeaseRow.token == held.token))


def _now(connection: Connection) -> float:
    return float(connection.scalar(text(_NOW[connection.dialect.name])) or 0.0)
