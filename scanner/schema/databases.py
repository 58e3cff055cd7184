"""Which kinds of database a service runs on: by its settings, its drivers, and the images that it is deployed with."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.database import Dialect
from assay.scanner.model.role import Role
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.dependencies import DependencyFacts
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot

_ENGINES = (
    (re.compile(r"postg(?:res|is)|psycopg|cockroach", re.IGNORECASE), Dialect.POSTGRESQL),
    (re.compile(r"mysql|mariadb", re.IGNORECASE), Dialect.MYSQL),
    (re.compile(r"sqlite|spatialite", re.IGNORECASE), Dialect.SQLITE),
    (re.compile(r"oracle", re.IGNORECASE), Dialect.ORACLE),
    (re.compile(r"mssql|sqlserver|sql_server", re.IGNORECASE), Dialect.SQL_SERVER),
)
_URL = re.compile(
    r"^(postgres(?:ql)?|mysql|mariadb|sqlite|oracle|mssql|cockroachdb)(?:\+\w+)?://|^django\.(?:db|contrib\.gis\.db)\.backends\.(\w+)$"
)
_DRIVERS = {
    Dialect.POSTGRESQL: ("psycopg", "psycopg2", "psycopg2-binary", "psycopg-binary", "asyncpg", "pg8000"),
    Dialect.MYSQL: ("pymysql", "mysqlclient", "aiomysql", "asyncmy", "mysql-connector-python", "mariadb"),
    Dialect.ORACLE: ("oracledb", "cx-oracle"),
    Dialect.SQL_SERVER: ("pyodbc", "pymssql", "aioodbc", "mssql-django"),
}
_BY_DRIVER = {name: dialect for dialect, names in _DRIVERS.items() for name in names}


def dialects_of(gathered: Gathered, root: ServiceRoot) -> frozenset[Dialect]:
    """All that the service is written for; empty where nothing tells. SQLite only counts where it is alone: beside a
    server it is for development.
    """
    in_code = frozenset(_in_code(gathered, root))
    for found in (in_code, _in_requirements(gathered, root), _in_compose(gathered, root)):
        servers = frozenset(found) - {Dialect.SQLITE}
        if servers:
            return servers
    return in_code & {Dialect.SQLITE}


def named(text: str) -> Dialect | None:
    """The database that an engine's, driver's or image's name speaks of."""
    return next((dialect for pattern, dialect in _ENGINES if pattern.search(text)), None)


def _in_code(gathered: Gathered, root: ServiceRoot) -> Iterator[Dialect]:
    """The engines and addresses that settings hold: whatever is named after a database."""
    for module in gathered.project.modules.values():
        if module.role is not Role.PROD or gathered.owners.of(module.path) is not root:
            continue
        for scope in module.scopes:
            for name, bindings in scope.bindings.items():
                if (
                    "DATABASE" in name.upper()
                    or "SQLALCHEMY" in name.upper()
                    or name.upper() in ("DB_URL", "DB_URI", "DSN")
                ):
                    nodes = (b.value for b in bindings if b.value is not None)
                    yield from _texts(node for value in nodes for node in form.walk(value))
    for call, scope in gathered.project.calls_named("create_engine", "create_async_engine"):
        if scope.module.role is Role.PROD and gathered.owners.of(scope.module.path) is root:
            yield from _texts(form.walk(call))


def _texts(nodes: Iterable[form.Expr | form.Stmt]) -> Iterator[Dialect]:
    for node in nodes:
        parts = (
            node.parts[:1] if isinstance(node, form.Template) else [node.value] if isinstance(node, form.Const) else []
        )
        for part in parts:
            match = _URL.match(part) if isinstance(part, str) else None
            dialect = named(match[0]) if match is not None else None
            if dialect is not None:
                yield dialect


def _in_requirements(gathered: Gathered, root: ServiceRoot) -> Iterator[Dialect]:
    for path, facts in gathered.context.files.items():
        if isinstance(facts, DependencyFacts) and _is_near(path, root):
            names = (requirement.name.lower().replace("_", "-") for requirement in facts.requirements)
            yield from (_BY_DRIVER[name] for name in names if name in _BY_DRIVER)


def _in_compose(gathered: Gathered, root: ServiceRoot) -> Iterator[Dialect]:
    for path, facts in gathered.context.files.items():
        if isinstance(facts, ComposeFacts) and _is_near(path, root):
            for service in facts.services:
                image = (service.image or "").rsplit("/", 1)[-1].split(":", 1)[0]
                dialect = named(image)
                if dialect is not None:
                    yield dialect


def _is_near(path: str, root: ServiceRoot) -> bool:
    """In the service's folder, or in one around it."""
    folder = path.rpartition("/")[0]
    return (
        root.root == "."
        or f"{folder}/".startswith(f"{root.root}/")
        or f"{root.root}/".startswith(f"{folder}/")
        or not folder
    )
