"""Run by Alembic: migrate over the connection and in the transaction that `open_ledger` hands in."""

from alembic import context

from tasks.io.ledger.tables import VERSION_TABLE, Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    version_table=VERSION_TABLE,
)
context.run_migrations()
