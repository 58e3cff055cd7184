"""A database of either sort: transactions in which one program writes at a time, and errors in the user's words."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import URL, Connection, Engine, create_engine, event, text
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.exc import DBAPIError, NoSuchModuleError
from sqlalchemy.pool import ConnectionPoolEntry

from assay.scanner.history import urls
from assay.scanner.history.records import StoreError

__all__ = ["PATIENCE", "Database"]

_BEGIN = "assay_begin"
"""What begins a transaction in SQLite. One that begins by reading can't always go on to write, so it says at once."""
PATIENCE = 60
"""Seconds to wait while others write; adding a scan takes a fraction of one."""
_CONNECT_PATIENCE = 10
_LOCK = 0x617373_6179
"""The advisory lock that a writer holds in PostgreSQL: `assay` in ASCII."""


@dataclass(frozen=True, slots=True)
class Database:
    """`name` is what messages call it; `file` is there for SQLite; `patience` is in seconds. What is read is read
    in the transaction `begun`, where there is one.
    """

    engine: Engine
    name: str
    file: Path | None = None
    patience: int = PATIENCE
    begun: Connection | None = None

    @classmethod
    def at(cls, url: URL, patience: int = PATIENCE) -> Database:
        """Nothing is opened yet. Raises StoreError where the driver is missing."""
        name = urls.shown(url)
        if url.get_backend_name() == "sqlite":
            engine = create_engine(_readable(url), connect_args={"timeout": patience})
            event.listen(engine, "connect", _prepare_sqlite)
            event.listen(engine, "begin", _begin_sqlite)
            return cls(engine, name, Path(url.database or ""), patience)
        arguments = {} if "connect_timeout" in url.query else {"connect_timeout": min(patience, _CONNECT_PATIENCE)}
        try:
            return cls(create_engine(url, connect_args=arguments, pool_pre_ping=True), name, None, patience)
        except (ImportError, NoSuchModuleError) as error:
            raise StoreError(f"{name}: PostgreSQL takes psycopg: pip install 'assay[postgres]'") from error

    @property
    def is_sqlite(self) -> bool:
        return self.engine.dialect.name == "sqlite"

    @property
    def is_missing(self) -> bool:
        """Whether it is a file that isn't there."""
        return self.file is not None and not self.file.exists()

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """All that is read in it is of one moment, and nobody who writes waits for it. Raises StoreError."""
        if self.begun is not None:
            with self._told():
                yield self.begun
            return
        options = {} if self.is_sqlite else {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
        with self._told(), self.engine.connect().execution_options(**options) as connection, connection.begin():
            self._be_patient(connection)
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """All of it is kept, or nothing; others who write wait. Raises StoreError."""
        with (
            self._told(),
            self.engine.connect().execution_options(**{_BEGIN: "BEGIN IMMEDIATE"}) as connection,
            connection.begin(),
        ):
            self._be_patient(connection)
            if not self.is_sqlite:
                connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": _LOCK})
            yield connection

    def shrink(self) -> None:
        """Give what was deleted back to the file system; PostgreSQL sees to it by itself. Raises StoreError."""
        if self.is_sqlite:
            with self._told(), self.engine.connect().execution_options(**{_BEGIN: ""}) as connection:
                connection.exec_driver_sql("VACUUM")

    def within(self, connection: Connection) -> Database:
        """The same, all of which is read in that transaction."""
        return replace(self, begun=connection)

    def identity(self) -> tuple[int, ...]:
        """Of SQLite's file; it is another one where the file was removed or replaced, and where it was changed although
        SQLite was told that nothing does. A server knows by itself who is connected.
        """
        if self.file is None:
            return ()
        try:
            found = self.file.stat()
        except OSError:
            return (0,)
        if "immutable" not in self.engine.url.query:
            return found.st_dev, found.st_ino
        return found.st_dev, found.st_ino, found.st_mtime_ns, found.st_size, _log_of(self.file).exists()

    def close(self) -> None:
        self.engine.dispose()

    def _be_patient(self, connection: Connection) -> None:
        """SQLite is told when it is connected to."""
        if not self.is_sqlite:
            connection.execute(text(f"SET LOCAL lock_timeout = '{self.patience}s'"))

    @contextmanager
    def _told(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            raise StoreError(f"{self.name}: {self._in_words(str(error.orig))}") from error

    def _in_words(self, message: str) -> str:
        """Without the password, should a driver quote it."""
        secrets = (self.engine.url.password, self.engine.url.query.get("password"))
        for secret in secrets:
            message = message.replace(str(secret), "***") if secret else message
        return _in_words(message, self.patience)


_BUSY = "somebody else has been writing to it for {patience} seconds; try again"
_WORDS = {
    "file is not a database": "it is no store of Assay: not an SQLite file",
    "unable to open database file": "it can't be opened: is its folder there, and may it be read and written?",
    "database is locked": _BUSY,
    "readonly database": "it can't be written to",
    "disk image is malformed": "the file is damaged; take it from a backup",
    "canceling statement due to lock timeout": _BUSY,
}


def _in_words(message: str, patience: int) -> str:
    for part, words in _WORDS.items():
        if part in message:
            return words.format(patience=patience)
    return message.strip().splitlines()[0].removeprefix("connection failed: ") if message.strip() else "it fails"


def _readable(url: URL) -> URL:
    """SQLite writes a file of its own beside the database even to read it. Where it may not, and nobody else is writing
    (sqlite.org/wal.html, "read-only databases"), it is told that nothing changes.
    """
    file = Path(url.database or "")
    if not file.exists() or os.access(file.parent, os.W_OK) or _log_of(file).exists():
        return url
    return url.set(database=f"file:{quote(str(file))}", query={"mode": "ro", "immutable": "1", "uri": "true"})


def _log_of(file: Path) -> Path:
    """What SQLite has written and not yet put into the file itself."""
    return file.with_name(f"{file.name}-wal")


def _prepare_sqlite(driver: DBAPIConnection, _: ConnectionPoolEntry) -> None:
    # Python's own module begins transactions late and ends them before it changes a schema; here SQLAlchemy says when.
    assert isinstance(driver, sqlite3.Connection)
    driver.isolation_level = None
    cursor = driver.cursor()
    try:
        cursor.execute("PRAGMA foreign_keys = ON")
        # Readers see the last whole state while somebody writes; what a crash leaves is ignored (sqlite.org/wal.html).
        if cursor.execute("PRAGMA journal_mode").fetchone() != ("wal",):
            _turn_to_wal(cursor)
        cursor.execute("PRAGMA synchronous = NORMAL")
    finally:
        cursor.close()


def _turn_to_wal(cursor: sqlite3.Cursor) -> None:
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
    except sqlite3.OperationalError as error:
        # Another program is turning it at this moment, or the file is read only; both can be worked with.
        if "locked" not in str(error) and "readonly" not in str(error):
            raise


def _begin_sqlite(connection: Connection) -> None:
    statement = connection.get_execution_options().get(_BEGIN, "BEGIN")
    if statement:
        connection.exec_driver_sql(statement)
