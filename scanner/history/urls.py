"""Where a store is: a database's URL, or the name of an SQLite file."""

from __future__ import annotations

import re

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from assay.scanner.history.records import StoreError

__all__ = ["parsed", "shown"]

_FORMS = "name a file, such as history.db, or postgresql://USER@HOST/DATABASE"
_ESCAPED = "in a user's name or password, write @ as %40, / as %2F, : as %3A"
_DRIVERS = {
    "sqlite": "sqlite+pysqlite",
    "sqlite+pysqlite": "sqlite+pysqlite",
    "postgres": "postgresql+psycopg",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
}


def parsed(text: str) -> URL:
    """What has no scheme is a file. Raises StoreError, which never quotes what might hold a password."""
    if not text.strip():
        raise StoreError(f"the store's URL is empty; {_FORMS}")
    scheme, separator, _ = text.partition("://")
    if not separator:
        return _file(text)
    driver = _DRIVERS.get(scheme.lower())
    if driver is None:
        quoted = repr(scheme) if re.fullmatch(r"[\w+.-]{1,40}", scheme) else "its"
        raise StoreError(f"the store's URL: {quoted} is no database that Assay can use; {_FORMS}")
    try:
        url = make_url(text).set(drivername=driver)
    except (ArgumentError, ValueError) as error:
        raise StoreError(f"the store's URL of {scheme} can't be read: {_FORMS}; {_ESCAPED}") from error
    if url.get_backend_name() == "sqlite":
        return _file(url.database or "")
    if "@" in (url.host or ""):
        raise StoreError(f"the store's URL of {scheme} can't be read: {_ESCAPED}")
    if not url.database:
        raise StoreError(f"the store's URL {shown(url)} names no database; {_FORMS}")
    return url


def _file(name: str) -> URL:
    if name in ("", ":memory:") or name.startswith("file:"):
        raise StoreError(f"the store's URL names no file, so nothing would be kept; {_FORMS}")
    return URL.create("sqlite+pysqlite", database=name)


def shown(url: URL) -> str:
    """As people may see it: without password, and without options, which may hold one."""
    if url.get_backend_name() == "sqlite":
        return url.database or ""
    return url.set(drivername="postgresql", query={}).render_as_string(hide_password=True)
