"""How Alembic runs the migrations: in the transaction of whoever opens the store."""

from __future__ import annotations

from alembic import context

from assay.scanner.history.schema import VERSION_TABLE

context.configure(
    connection=context.config.attributes["connection"],
    version_table=VERSION_TABLE,
    # SQLite changes a table by making it anew.
    render_as_batch=True,
)
with context.begin_transaction():
    context.run_migrations()
