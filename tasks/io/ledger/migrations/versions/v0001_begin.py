"""Make the first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make agents, moves, decisions, row uses and leases."""
    op.create_table("quickstudy_agents", sa.Column("name", sa.String(63), primary_key=True))
    _make_moves()
    _make_decisions()
    op.create_table(
        "quickstudy_row_uses",
        sa.Column("agent", sa.String(63), primary_key=True),
        sa.Column("text_hash", sa.BigInteger, primary_key=True, autoincrement=False),
        sa.Column("uses", sa.Integer, nullable=False),
    )
    op.create_table(
        "quickstudy_leases",
        sa.Column("name", sa.String(200), primary_key=True),
        sa.Column("token", sa.String(32), nullable=False),
        sa.Column("machine", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", sa.Float, nullable=False),
        sa.Column("expires", sa.Float, nullable=False),
    )


def _make_moves() -> None:
    op.create_table(
        "quickstudy_moves",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("agent", sa.String(63), nullable=False),
        sa.Column("from_version", sa.Integer),
        sa.Column("to_version", sa.Integer),
        sa.Column("actor", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True)),
        sa.Column("evidence", sa.JSON, nullable=False),
    )
    op.create_index("quickstudy_moves_by_agent", "quickstudy_moves", ["agent", "id"])
    op.create_index(
        "quickstudy_one_open_intent",
        "quickstudy_moves",
        ["agent"],
        unique=True,
        sqlite_where=sa.text("state = 'intent'"),
        postgresql_where=sa.text("state = 'intent'"),
    )


def _make_decisions() -> None:
    op.create_table(
        "quickstudy_decisions",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("key", sa.String(128), nullable=False, unique=True),
        sa.Column("agent", sa.String(63), nullable=False),
        sa.Column("challenger", sa.Integer, nullable=False),
        sa.Column("champion", sa.Integer),
        sa.Column("snapshot", sa.String(128), nullable=False),
        sa.Column("verdict", sa.String(32), nullable=False),
        sa.Column("report", sa.JSON, nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
    )
    op.create_index("quickstudy_decisions_by_agent", "quickstudy_decisions", ["agent", "id"])


def downgrade() -> None:
    """Drop every table of the ledger."""
    for name in ("leases", "row_uses", "decisions", "moves", "agents"):
        op.drop_table(f"quickstudy_{name}")
