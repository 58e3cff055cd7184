"""The schema of a store: made, brought up to date, and known to be of another program or of a later Assay."""

from __future__ import annotations

from importlib import resources

from sqlalchemy import Connection, column, inspect, select, table

from assay.scanner.history.database import Database
from assay.scanner.history.records import StoreError
from assay.scanner.history.tables import Base

__all__ = ["HEAD", "VERSION_TABLE", "opened", "upgrade"]

HEAD = "0003"
"""The newest revision in `migrations/versions`: Alembic is loaded only where a store has another one."""
VERSION_TABLE = "assay_schema"
"""Alembic's table; one of its own, as a team's database may hold other programs that use Alembic."""


def opened(database: Database, *, create: bool) -> Database:
    """The database with today's schema. Without `create` a store must be there. Raises StoreError."""
    if not create and database.is_missing:
        raise StoreError(f"there is no store {database.name}; `assay scan --store {database.name}` makes one")
    with database.reading() as connection:
        if _revision(connection, database) == HEAD:
            return database
    with database.writing() as connection:
        # Asked again, as another program may have been faster.
        revision = _revision(connection, database)
        if revision is None and not create:
            raise StoreError(f"{database.name}: there is no store in it yet; `assay scan --store` makes one")
        if revision != HEAD:
            upgrade(connection)
    return database


def upgrade(connection: Connection, revision: str = HEAD) -> None:
    """Bring the schema up to the revision, in the connection's own transaction."""
    from alembic import command
    from alembic.config import Config

    with resources.as_file(resources.files("assay.scanner.history") / "migrations") as folder:
        config = Config()
        config.set_main_option("script_location", str(folder).replace("%", "%%"))
        config.set_main_option("path_separator", "os")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)


def _revision(connection: Connection, database: Database) -> str | None:
    """None where there is no store yet. Raises StoreError for what is another program's, or a later Assay's."""
    tables = set(inspect(connection).get_table_names())
    if VERSION_TABLE in tables:
        revision = connection.scalar(select(column("version_num")).select_from(table(VERSION_TABLE)))
        if revision is not None and revision not in _known():
            raise StoreError(
                f"{database.name}: the store is of a later Assay (its schema is {revision!r}, and this one knows "
                f"{HEAD!r}); take that Assay"
            )
        return str(revision) if revision else None
    taken = tables if database.is_sqlite else tables & Base.metadata.tables.keys()
    if taken:
        raise StoreError(
            f"{database.name}: it is a database, but no store of Assay (it has a table {min(taken)!r}); "
            "name another one, or a new file"
        )
    return None


def _known() -> set[str]:
    """The revisions up to `HEAD`; they are numbered."""
    return {f"{number:04}" for number in range(1, int(HEAD) + 1)}
