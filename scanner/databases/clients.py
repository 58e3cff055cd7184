"""Calls that make an engine, a pool or a connection.

https://docs.sqlalchemy.org/en/20/core/engines.html, https://magicstack.github.io/asyncpg/current/api/,
https://flask-sqlalchemy.readthedocs.io/en/stable/config/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.database import Dialect
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form


@dataclass(frozen=True, slots=True)
class Library:
    """What a call makes. `has_timeout` is set where the library bounds each statement by itself; `is_pool` where
    connections are kept; `is_raw` for a connection of a driver, which may be to anybody's database.
    """

    kind: str
    dialect: Dialect | None = None
    is_pool: bool = False
    is_raw: bool = False
    has_timeout: bool = False
    is_relational: bool = True


_MONGO = Library("MongoDB client", is_relational=False)
_ENGINE = Library("SQLAlchemy engine", is_pool=True)
_FLASK = Library("engine of Flask-SQLAlchemy", is_pool=True)
_POSTGRES, _MYSQL = Dialect.POSTGRESQL, Dialect.MYSQL
LIBRARIES = {
    "sqlalchemy.create_engine": _ENGINE,
    "sqlalchemy.engine.create_engine": _ENGINE,
    "sqlmodel.create_engine": _ENGINE,
    "sqlalchemy.ext.asyncio.create_async_engine": _ENGINE,
    "sqlmodel.ext.asyncio.create_async_engine": _ENGINE,
    "flask_sqlalchemy.SQLAlchemy": _FLASK,
    "asyncpg.create_pool": Library("asyncpg pool", _POSTGRES),
    "asyncpg.connect": Library("asyncpg connection", _POSTGRES, is_raw=True),
    "psycopg2.connect": Library("psycopg2 connection", _POSTGRES, is_raw=True),
    "psycopg.connect": Library("psycopg connection", _POSTGRES, is_raw=True),
    "psycopg_pool.ConnectionPool": Library("psycopg pool", _POSTGRES),
    "psycopg_pool.AsyncConnectionPool": Library("psycopg pool", _POSTGRES),
    "psycopg2.pool.ThreadedConnectionPool": Library("psycopg2 pool", _POSTGRES),
    "psycopg2.pool.SimpleConnectionPool": Library("psycopg2 pool", _POSTGRES),
    "aiopg.create_pool": Library("aiopg pool", _POSTGRES, has_timeout=True),
    "aiomysql.create_pool": Library("aiomysql pool", _MYSQL),
    "pymysql.connect": Library("PyMySQL connection", _MYSQL, is_raw=True),
    "MySQLdb.connect": Library("MySQL connection", _MYSQL, is_raw=True),
    "mysql.connector.connect": Library("MySQL connection", _MYSQL, is_raw=True),
    "peewee.PostgresqlDatabase": Library("peewee database", _POSTGRES),
    "peewee.MySQLDatabase": Library("peewee database", _MYSQL),
    "playhouse.pool.PooledPostgresqlDatabase": Library("peewee database", _POSTGRES),
    "playhouse.pool.PooledMySQLDatabase": Library("peewee database", _MYSQL),
    "pymongo.MongoClient": _MONGO,
    "pymongo.mongo_client.MongoClient": _MONGO,
    "pymongo.AsyncMongoClient": _MONGO,
    "motor.motor_asyncio.AsyncIOMotorClient": _MONGO,
    "databases.Database": Library("database of `databases`"),
}
_NAMES = tuple(sorted({name.rpartition(".")[2] for name in LIBRARIES}))


@dataclass(frozen=True, slots=True, eq=False)
class Client:
    """A call that makes a connection."""

    call: form.Call
    scope: Scope
    library: Library
    is_extended: bool = False
    """A class of the project makes it, whose methods may add options."""


def clients(gathered: Gathered) -> Iterator[Client]:
    """Those of production code, in order of path and position."""
    project = gathered.project
    made = _subclasses(project)
    aliases = {alias for name in _NAMES for alias in project.aliases_of(name)}
    for call, scope in project.calls_named(*dict.fromkeys((*_NAMES, *sorted({c.name for c in made} | aliases)))):
        if scope.module.role is not Role.PROD or gathered.production.taken(call, scope).truth is False:
            continue
        value = project.infer(call.func, scope)
        library = made.get(value) if isinstance(value, ClassSymbol) else None
        if isinstance(value, External):
            library = LIBRARIES.get(value.name)
        if library is not None:
            is_extended = isinstance(value, ClassSymbol) and bool(value.methods)
            yield Client(call, scope, library, is_extended)


def _subclasses(project: Project) -> dict[ClassSymbol, Library]:
    """Classes of the project that derive from one of the libraries'."""
    if project.imported_packages.isdisjoint({"flask_sqlalchemy", "peewee", "playhouse", "psycopg_pool"}):
        return {}
    found = {}
    for cls in project.classes:
        name = next((n for n in project.base_names(cls) if n in LIBRARIES), None)
        if name is not None:
            found[cls] = LIBRARIES[name]
    return found


def given_at_run_time(client: Client) -> str | None:
    """Why a driver's connection isn't to the service's own database: its address is what somebody entered."""
    if not client.library.is_raw:
        return None
    for argument in client.call.args:
        for node in form.walk(argument.value):
            bindings = client.scope.lookup(node.id) if isinstance(node, form.Name) else []
            values = [b.value for b in bindings if b.value is not None and b.scope is client.scope]
            if any(b.how is How.PARAMETER for b in bindings) or any(map(_is_of_object, [node, *values])):
                return "its address is given at run time"
    return None


def _is_of_object(node: form.Expr | form.Stmt) -> bool:
    """Whether it speaks of what an object was made with: `self.configuration["host"]`."""
    return any(isinstance(n, form.Attr) and (form.dotted(n) or "").startswith("self.") for n in form.walk(node))
