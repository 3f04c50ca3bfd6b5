"""The gate's verdicts, each once, and how many of them every held-out row has served."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import Connection, Engine, Row, Select, select
from sqlalchemy.dialects import postgresql, sqlite

from models.schemas import GateReport
from tasks.io.ledger.engine import reading, writing
from tasks.io.ledger.tables import DecisionRow, RowUse

_DECISIONS = DecisionRow.__table__
_CHUNK = 10_000


@dataclass(frozen=True)
class Decision:
    """One verdict: who was compared with whom, on what, and how it ended.

    Args:
        key: What makes a repeated run find this verdict (say, a digest over both versions and the rows).
        agent: The agent.
        challenger: The version that asked to be promoted.
        champion: The version that it was compared with; None: there was none.
        snapshot: Digest of the data snapshot whose held-out rows were used.
        report: The gate's verdict with everything it rests on.
        at: When it was recorded; None before.
    """

    key: str
    agent: str
    challenger: int
    champion: int | None
    snapshot: str
    report: GateReport
    at: datetime | None = None


def record_decision(engine: Engine, decision: Decision, text_hashes: NDArray[np.uint64]) -> bool:
    """Record a verdict and count one more use of each held-out row, together and exactly once.

    Args:
        engine: The ledger.
        decision: The verdict.
        text_hashes: (rows,) hashes of the rows that it rests on; a hash that stands twice counts once.

    Returns:
        True if it is new, False if `decision.key` was recorded before (nothing is counted then).
    """
    with writing(engine) as connection:
        make = _inserter(connection)
        insert = make(DecisionRow).values(_values(decision)).on_conflict_do_nothing(index_elements=["key"])
        # What came back, since Postgres' driver counts the rows of such an insert as -1.
        added = connection.scalar(insert.returning(DecisionRow.id)) is not None
        if added:
            _count_uses(connection, decision.agent, np.unique(_signed(text_hashes)))
    return added


def find_decision(engine: Engine, key: str) -> Decision | None:
    """Give the verdict recorded under `key`, if there is one."""
    found = _read(engine, select(_DECISIONS).where(DecisionRow.key == key))
    return found[0] if found else None


def decisions(engine: Engine, agent: str) -> tuple[Decision, ...]:
    """Give every verdict on the agent's challengers, oldest first."""
    return _read(engine, select(_DECISIONS).where(DecisionRow.agent == agent).order_by(DecisionRow.id))


def uses(engine: Engine, agent: str, text_hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """Count the verdicts that each row has served so far: (rows,) in the order of `text_hashes`."""
    wanted = _signed(text_hashes)
    distinct, places = np.unique(wanted, return_inverse=True)
    counts = np.zeros(len(distinct), dtype=np.int64)
    with reading(engine) as connection:
        for start in range(0, len(distinct), _CHUNK):
            chunk = distinct[start : start + _CHUNK]
            rows = connection.execute(
                select(RowUse.text_hash, RowUse.uses).where(
                    RowUse.agent == agent, RowUse.text_hash.in_(chunk.tolist())
                )
            ).all()
            found = np.array([tuple(row) for row in rows], dtype=np.int64).reshape(-1, 2)
            counts[np.searchsorted(distinct, found[:, 0])] = found[:, 1]
    return counts[places]


def _signed(text_hashes: NDArray[np.uint64]) -> NDArray[np.int64]:
    """View uint64 hashes as the int64 that SQL can hold."""
    return np.ascontiguousarray(text_hashes).astype(np.uint64, copy=False).view(np.int64)


def _count_uses(connection: Connection, agent: str, hashes: NDArray[np.int64]) -> None:
    insert = _inserter(connection)(RowUse)
    upsert = insert.on_conflict_do_update(
        index_elements=["agent", "text_hash"], set_={"uses": RowUse.__table__.c.uses + insert.excluded.uses}
    )
    for start in range(0, len(hashes), _CHUNK):
        chunk = hashes[start : start + _CHUNK].tolist()
        connection.execute(upsert, [{"agent": agent, "text_hash": h, "uses": 1} for h in chunk])


def _inserter(connection: Connection) -> Any:  # noqa: ANN401 - two functions with one shape, typed apart
    return postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert


def _values(decision: Decision) -> dict[str, Any]:
    return {
        "key": decision.key,
        "agent": decision.agent,
        "challenger": decision.challenger,
        "champion": decision.champion,
        "snapshot": decision.snapshot,
        "verdict": decision.report.verdict,
        "report": decision.report.model_dump(mode="json"),
        "at": datetime.now(UTC),
    }


def _read(engine: Engine, query: Select[Any]) -> tuple[Decision, ...]:
    with reading(engine) as connection:
        return tuple(_decision(row) for row in connection.execute(query))


def _decision(row: Row[Any]) -> Decision:
    return Decision(
        key=row.key,
        agent=row.agent,
        challenger=row.challenger,
        champion=row.champion,
        snapshot=row.snapshot,
        report=GateReport.model_validate(row.report),
        at=row.at,
    )
