"""Moves of the champion alias: the intent before, what became of it, and who was champion when.

Nothing here touches MLflow: `tasks/io/promotion.py` does, between opening an intent and closing it.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, Select, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from models.errors import LedgerError
from models.schemas import Move
from tasks.io.ledger.engine import reading, writing
from tasks.io.ledger.tables import AgentRow, DecisionRow, MoveRow

_MOVES = MoveRow.__table__


@dataclass(frozen=True)
class IntentRequest:
    """A wish to move an agent's champion.

    Args:
        agent: The agent.
        to_version: The version that becomes champion.
        expected_from: The champion that the wish was decided against; None: there was none.
        reason: Why, in one sentence.
        actor: Who or what moves it.
        kind: `promotion` (the gate's verdict), `manual` (a person by our command), or `rollback`.
        evidence: Names and addresses or digests of what the decision rests on.
    """

    agent: str
    to_version: int
    expected_from: int | None
    reason: str
    actor: str
    kind: Literal["promotion", "manual", "rollback"] = "promotion"
    evidence: dict[str, str] = field(default_factory=dict)


def open_intent(engine: Engine, request: IntentRequest) -> Move:
    """Write the intent, if the champion is the expected one and no other intent is open.

    Raises:
        LedgerError: If it is not, or one is.
    """
    values = {
        "agent": request.agent,
        "from_version": request.expected_from,
        "to_version": request.to_version,
        "actor": request.actor,
        "reason": request.reason,
        "kind": request.kind,
        "state": "intent",
        "at": datetime.now(UTC),
        "evidence": request.evidence,
    }
    try:
        with writing(engine) as connection:
            _lock(connection, request.agent)
            present = _champion(connection, request.agent)
            if present != request.expected_from:
                raise LedgerError(stale_message(request, present))
            return _insert(connection, values)
    except IntegrityError as error:
        raise LedgerError(
            f"Another move of {request.agent!r}'s champion is open. Run again when it is done; "
            "a move that a killed process left is closed by the next run."
        ) from error


def stale_message(request: IntentRequest, present: int | None) -> str:
    """Say that the champion changed since the decision."""
    return (
        f"The champion of {request.agent!r} is {version_text(present)}, and the move to "
        f"{version_text(request.to_version)} was decided against {version_text(request.expected_from)}. "
        "Compare with the present champion and decide again."
    )


def version_text(version: int | None) -> str:
    """Name a version, or its absence."""
    return "no version" if version is None else f"version {version}"


def close_intent(
    engine: Engine, move_id: int, state: Literal["done", "undone"], done_at: datetime | None = None
) -> Move:
    """Close an open intent, once.

    Args:
        engine: The ledger.
        move_id: The intent.
        state: What became of it.
        done_at: When (aware datetime); None: now.

    Raises:
        LedgerError: If it is closed already.
    """
    with writing(engine) as connection:
        closed = connection.execute(
            update(MoveRow)
            .where(MoveRow.id == move_id, MoveRow.state == "intent")
            .values(state=state, done_at=done_at or datetime.now(UTC))
        ).rowcount
        move = _move(connection.execute(select(_MOVES).where(MoveRow.id == move_id)).one())
    if not closed:
        raise LedgerError(
            f"Move {move_id} of {move.agent!r} is {move.state} already; it can not become {state}."
        )
    return move


def record_observed(engine: Engine, agent: str, to_version: int | None, reason: str) -> Move | None:
    """Record that the alias was moved past the ledger; None if the ledger knows that already."""
    now = datetime.now(UTC)
    with writing(engine) as connection:
        _lock(connection, agent)
        present = _champion(connection, agent)
        if present == to_version:
            return None
        moved = {"agent": agent, "from_version": present, "to_version": to_version, "actor": "unknown"}
        seen = {"reason": reason, "kind": "observed", "state": "done", "at": now, "done_at": now}
        return _insert(connection, {**moved, **seen, "evidence": {}})


def pending(engine: Engine, agent: str) -> Move | None:
    """Give the agent's open intent, if there is one."""
    moves = _read(engine, select(_MOVES).where(MoveRow.agent == agent, MoveRow.state == "intent"))
    return moves[0] if moves else None


def history(engine: Engine, agent: str) -> tuple[Move, ...]:
    """Give every move of the agent's champion, oldest first, undone and open ones included."""
    return _read(engine, select(_MOVES).where(MoveRow.agent == agent).order_by(MoveRow.id))


def agents(engine: Engine) -> tuple[str, ...]:
    """Name every agent that the ledger has a move or a verdict of, sorted."""
    with reading(engine) as connection:
        moved = set(connection.scalars(select(AgentRow.name)))
        judged = set(connection.scalars(select(DecisionRow.agent).distinct()))
    return tuple(sorted(moved | judged))


def champion(engine: Engine, agent: str) -> int | None:
    """Give the champion as the ledger knows it; None: there is none."""
    with reading(engine) as connection:
        return _champion(connection, agent)


def champion_on(engine: Engine, agent: str, when: datetime) -> int | None:
    """Say who was champion at a moment (aware datetime); None: nobody.

    A move that was only noticed later (kind `observed`) counts from when it was noticed.
    """
    query = _done(agent).where(MoveRow.done_at <= when)
    with reading(engine) as connection:
        return connection.scalar(query.with_only_columns(MoveRow.to_version))


def earlier_champions(moves: tuple[Move, ...]) -> tuple[int, ...]:
    """List who a rollback may restore, nearest first.

    Promotions stack up and a rollback takes off what is above its target: two rollbacks in a row walk two
    champions back, they do not toggle. The present champion is not in the list, nor is any version twice.
    """
    stack: list[int | None] = []
    for move in moves:
        if move.state != "done":
            continue
        if move.kind == "rollback" and move.to_version in stack:
            while stack[-1] != move.to_version:
                stack.pop()
        else:
            stack.append(move.to_version)
    present = stack[-1] if stack else None
    below = [v for v in reversed(stack[:-1]) if v is not None and v != present]
    return tuple(dict.fromkeys(below))


def _lock(connection: Connection, agent: str) -> None:
    """Hold the agent's line to the end of the transaction; SQLite's write lock holds already."""
    make = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    connection.execute(make(AgentRow).values(name=agent).on_conflict_do_nothing())
    connection.execute(select(AgentRow.name).where(AgentRow.name == agent).with_for_update())


def _done(agent: str) -> Select[Any]:
    query = select(_MOVES).where(MoveRow.agent == agent, MoveRow.state == "done")
    return query.order_by(MoveRow.id.desc()).limit(1)


def _champion(connection: Connection, agent: str) -> int | None:
    return connection.scalar(_done(agent).with_only_columns(MoveRow.to_version))


def _insert(connection: Connection, values: dict[str, Any]) -> Move:
    return _move(connection.execute(insert(MoveRow).values(values).returning(*_MOVES.c)).one())


def _read(engine: Engine, query: Select[Any]) -> tuple[Move, ...]:
    with reading(engine) as connection:
        return tuple(_move(row) for row in connection.execute(query))


def _move(row: Row[Any]) -> Move:
    return Move.model_validate(dict(row._mapping))
