"""The kinds of database that a service's schema is for."""

from __future__ import annotations

from enum import StrEnum


class Dialect(StrEnum):
    """A database by what it does with schema changes and indexes."""

    POSTGRESQL = "PostgreSQL"
    MYSQL = "MySQL"
    SQLITE = "SQLite"
    ORACLE = "Oracle"
    SQL_SERVER = "SQL Server"

    @property
    def indexes_foreign_keys(self) -> bool:
        """Whether a foreign key comes with an index of its own (InnoDB)."""
        return self is Dialect.MYSQL
