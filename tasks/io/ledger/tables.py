"""The ledger's tables as they are now; how they came to be so is in `migrations/`."""

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, DateTime, Index, Integer, String, Text, text
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

VERSION_TABLE = "quickstudy_version"
"""Alembic's own table; the name lets the ledger share a database with MLflow and Prefect."""

HEAD = "0001"
"""The newest migration; a database that is there needs none."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC; SQLite forgets time zones, so it is put back on reading."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        """Turn any aware moment into UTC.

        Raises:
            ValueError: If the moment has no time zone.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value!r} has no time zone; give an aware datetime, such as datetime.now(UTC)")
        return value.astimezone(UTC)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ANN401, ARG002
        """Give back an aware moment in UTC."""
        if value is None:
            return None
        moment: datetime = value
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


class Base(DeclarativeBase):
    """Root of the ledger's tables."""


class AgentRow(Base):
    """One line an agent: what writers lock before they read its champion."""

    __tablename__ = "quickstudy_agents"
    name: Mapped[str] = mapped_column(String(63), primary_key=True)


class MoveRow(Base):
    """One move of a champion alias; at most one is open (`intent`) for an agent."""

    __tablename__ = "quickstudy_moves"
    __table_args__ = (
        Index("quickstudy_moves_by_agent", "agent", "id"),
        Index(
            "quickstudy_one_open_intent",
            "agent",
            unique=True,
            sqlite_where=text("state = 'intent'"),
            postgresql_where=text("state = 'intent'"),
        ),
    )
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    agent: Mapped[str] = mapped_column(String(63))
    from_version: Mapped[int | None] = mapped_column(Integer)
    to_version: Mapped[int | None] = mapped_column(Integer)
    actor: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(16))
    at: Mapped[datetime] = mapped_column(UtcDateTime)
    done_at: Mapped[datetime | None] = mapped_column(UtcDateTime)
    evidence: Mapped[dict[str, str]] = mapped_column(JSON)


class DecisionRow(Base):
    """One verdict of the gate; `key` makes a repeated run find it."""

    __tablename__ = "quickstudy_decisions"
    __table_args__ = (Index("quickstudy_decisions_by_agent", "agent", "id"),)
    id: Mapped[int] = mapped_column(Integer, primary_key=True, autoincrement=True)
    key: Mapped[str] = mapped_column(String(128), unique=True)
    agent: Mapped[str] = mapped_column(String(63))
    challenger: Mapped[int] = mapped_column(Integer)
    champion: Mapped[int | None] = mapped_column(Integer)
    snapshot: Mapped[str] = mapped_column(String(128))
    verdict: Mapped[str] = mapped_column(String(32))
    report: Mapped[dict[str, Any]] = mapped_column(JSON)
    at: Mapped[datetime] = mapped_column(UtcDateTime)


class RowUse(Base):
    """How many decisions a held-out row has served; its hash as a signed 64-bit integer."""

    __tablename__ = "quickstudy_row_uses"
    agent: Mapped[str] = mapped_column(String(63), primary_key=True)
    text_hash: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    uses: Mapped[int] = mapped_column(Integer)


class LeaseRow(Base):
    """Who works on something right now; a holder that is dead or silent loses it."""

    __tablename__ = "quickstudy_leases"
    name: Mapped[str] = mapped_column(String(200), primary_key=True)
    token: Mapped[str] = mapped_column(String(32))
    machine: Mapped[str] = mapped_column(Text)
    pid: Mapped[int] = mapped_column(Integer)
    started: Mapped[float]
    expires: Mapped[float]
