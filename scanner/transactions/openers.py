"""What opens a transaction: context managers and decorators of libraries, and the project's wrappers of them.

https://docs.djangoproject.com/en/stable/topics/db/transactions/,
https://docs.sqlalchemy.org/en/20/orm/session_transaction.html,
https://docs.peewee-orm.com/en/latest/peewee/transactions.html,
https://tortoise.github.io/transactions.html,
https://magicstack.github.io/asyncpg/current/api/index.html#transactions
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.transaction import TransactionKind
from assay.scanner.readers.python import form

_KNOWN: Mapping[str, TransactionKind] = {
    "django.db.transaction.atomic": TransactionKind.DJANGO,
    "django.db.transaction.Atomic": TransactionKind.DJANGO,
    "reversion.create_revision": TransactionKind.DJANGO,
    "reversion.revisions.create_revision": TransactionKind.DJANGO,
    "tortoise.transactions.in_transaction": TransactionKind.TORTOISE,
    "tortoise.transactions.atomic": TransactionKind.TORTOISE,
    "psycopg.connect": TransactionKind.DRIVER,
    "psycopg.Connection.connect": TransactionKind.DRIVER,
    "psycopg.AsyncConnection.connect": TransactionKind.DRIVER,
    "psycopg_pool.ConnectionPool.connection": TransactionKind.DRIVER,
    "psycopg_pool.AsyncConnectionPool.connection": TransactionKind.DRIVER,
}
_METHODS: Mapping[tuple[str, str], TransactionKind] = {
    **dict.fromkeys(
        ((package, "begin") for package in ("sqlalchemy", "sqlmodel", "flask_sqlalchemy", "alchemical")),
        TransactionKind.SQLALCHEMY,
    ),
    **dict.fromkeys(
        ((package, name) for package in ("peewee", "playhouse", "peewee_async") for name in ("atomic", "transaction")),
        TransactionKind.PEEWEE,
    ),
    **dict.fromkeys(
        ((package, "transaction") for package in ("asyncpg", "psycopg", "dbapi", "databases", "psycopg_pool")),
        TransactionKind.DRIVER,
    ),
}
"""By the library and the last name of what is called."""
_SESSIONS = frozenset(
    {"session", "sess", "engine", "connection", "conn", "sessionmaker", "sessionlocal", "transaction"}
)
_BASES = ("django.db.transaction.Atomic",)
_MANAGERS = frozenset({"contextmanager", "asynccontextmanager"})
_READING = frozenset({"replica", "replicas", "readonly", "read", "reader", "slave"})
_DEEPEST = 4
_SQL = frozenset({"sqlalchemy", "sqlmodel", "flask_sqlalchemy", "alchemical"})


class Openers:
    """Tells which expressions open a transaction that ends with their block or function; remembered by function.

    A savepoint (`begin_nested`) opens none: what it releases is committed by others.
    """

    def __init__(self, project: Project) -> None:
        self._project = project
        self._packages = project.imported_packages
        self._functions: dict[FunctionSymbol, TransactionKind | None] = {}
        self._decorators: dict[FunctionSymbol, TransactionKind | None] = {}
        self._regions: dict[FunctionSymbol, tuple[tuple[form.With, form.Expr, TransactionKind], ...]] = {}

    def of_block(self, node: form.Expr, scope: Scope, depth: int = _DEEPEST) -> TransactionKind | None:
        """What `with node:` opens and commits at its end; None where it opens nothing of the kind."""
        if isinstance(node, form.Await):
            return self.of_block(node.value, scope, depth)
        if not isinstance(node, form.Call):
            return self._of_object(node, scope)
        callee = self._project.infer(node.func, scope)
        match callee:
            case External(name=name):
                return self._of_library(name, node)
            case FunctionSymbol() | BoundMethod():
                function = callee.function if isinstance(callee, BoundMethod) else callee
                return self._of_function(function, depth)
            case ClassSymbol():
                return self._of_class(callee)
        return self._by_looks(node) if callee is None else None

    def of_decorator(self, node: form.Expr, scope: Scope) -> TransactionKind | None:
        """What `@node` puts around each call of the function."""
        called = node.func if isinstance(node, form.Call) else node
        name = last_name(called)
        if name == "method_decorator" and isinstance(node, form.Call) and node.positional:
            return self.of_decorator(node.positional[0], scope)
        callee = self._project.infer(called, scope)
        if isinstance(callee, External):
            return self._of_library(callee.name, node if isinstance(node, form.Call) else None)
        function = callee.function if isinstance(callee, BoundMethod) else callee
        if isinstance(function, FunctionSymbol):
            if function not in self._decorators:
                self._decorators[function] = None
                self._decorators[function] = self._wrapping(function)
            return self._decorators[function]
        if isinstance(callee, ClassSymbol):
            call = self._project.method(callee, "__call__")
            return self._wrapping(call) if call is not None else self._of_class(callee)
        return self._by_looks(node) if callee is None and isinstance(node, form.Call) and name == "atomic" else None

    def regions(self, function: FunctionSymbol) -> tuple[tuple[form.With, form.Expr, TransactionKind], ...]:
        """The blocks of the function that are transactions, each with the expression that opens it; outermost first."""
        if function not in self._regions:
            self._regions[function] = ()  # for a wrapper that uses itself
            self._regions[function] = tuple(self._find_regions(function))
        return self._regions[function]

    def _find_regions(self, function: FunctionSymbol) -> Iterator[tuple[form.With, form.Expr, TransactionKind]]:
        for node in function.nodes:
            if isinstance(node, form.With):
                for item in node.items:
                    kind = self.of_block(item.value, function.scope)
                    if kind is not None:
                        yield node, item.value, kind
                        break

    # --- libraries ---

    def _of_library(self, name: str, call: form.Call | None) -> TransactionKind | None:
        if name.startswith("reversion.") and call is not None and _is_false(call.argument(1, "atomic")):
            return None
        if name.startswith("django.") and call is not None and _is_for_reading(call.argument(0, "using")):
            return None
        known = _KNOWN.get(name)
        if known is not None:
            return known
        return _METHODS.get((name.split(".", 1)[0], last_part(name)))

    def _of_object(self, node: form.Expr, scope: Scope) -> TransactionKind | None:
        """`with connection:` of a driver, `with self.unit_of_work:`."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance):
            if value.cls is not None:
                return self._of_class(value.cls)
            if value.type_name in ("dbapi.Connection",):
                return TransactionKind.DRIVER
            if value.origin is not None and value.scope is not None and value.type_name in _KNOWN:
                return _KNOWN[value.type_name]
        return None

    def _by_looks(self, call: form.Call) -> TransactionKind | None:
        """What only the name tells: `session.begin()`, `self.db.atomic()`, `conn.transaction()`."""
        if not isinstance(call.func, form.Attr):
            return None
        owner = (last_name(call.func.value) or "").lower().strip("_")
        match call.func.attr:
            case "begin" if not self._packages.isdisjoint(_SQL):
                return TransactionKind.SQLALCHEMY if owner.rsplit("_", 1)[-1] in _SESSIONS else None
            case "atomic":
                if "peewee" in self._packages:
                    return TransactionKind.PEEWEE
                return TransactionKind.DJANGO if "django" in self._packages and owner == "transaction" else None
            case "transaction":
                if "peewee" in self._packages:
                    return TransactionKind.PEEWEE
                return TransactionKind.DRIVER if owner.rsplit("_", 1)[-1] in (*_SESSIONS, "db", "database") else None
        return None

    # --- the project's own ---

    def _of_function(self, function: FunctionSymbol, depth: int) -> TransactionKind | None:
        if function not in self._functions:
            self._functions[function] = None
            self._functions[function] = self._found_of_function(function, depth) if depth else None
        return self._functions[function]

    def _found_of_function(self, function: FunctionSymbol, depth: int) -> TransactionKind | None:
        if any(last_name(_called(d)) in _MANAGERS for d in function.decorators):
            return self._around_yield(function)
        for statement in function.returns:
            found = self.of_block(statement.value, function.scope, depth - 1) if statement.value is not None else None
            if found is not None:
                return found
        return None

    def _around_yield(self, function: FunctionSymbol) -> TransactionKind | None:
        """A generator that yields inside of a transaction, or commits after it has."""
        yields = [n for n in function.nodes if isinstance(n, form.Yield)]
        if not yields:
            return None
        for block, _, kind in self.regions(function):
            if block.start <= yields[0].start < block.end:
                return kind
        return TransactionKind.WRAPPER if self._commits_after(function, yields[0].end) else None

    def _of_class(self, cls: ClassSymbol) -> TransactionKind | None:
        """A class whose objects commit when their block ends."""
        if not self._project.base_names(cls).isdisjoint(_BASES):
            return TransactionKind.DJANGO
        for name in ("__exit__", "__aexit__"):
            method = self._project.method(cls, name)
            if method is not None:
                return TransactionKind.WRAPPER if self._commits_after(method, method.node.start) else None
        return None

    def _wrapping(self, function: FunctionSymbol) -> TransactionKind | None:
        """A decorator that runs what it is given inside of a transaction, or commits after that."""
        for inner in (function, *function.nested):
            given = {p.name for outer in (function, inner) for p in outer.node.params}
            for node in inner.nodes:
                if not isinstance(node, form.Call) or not isinstance(node.func, form.Name) or node.func.id not in given:
                    continue
                for block, _, kind in self.regions(inner):
                    if block.start <= node.start < block.end:
                        return kind
                if self._commits_after(inner, node.end):
                    return TransactionKind.WRAPPER
        return None

    def _commits_after(self, function: FunctionSymbol, offset: int) -> bool:
        return any(
            isinstance(n, form.Call) and last_name(n.func) in ("commit", "acommit") and n.start >= offset
            for n in function.nodes
        )


def _called(decorator: form.Expr) -> form.Expr:
    return decorator.func if isinstance(decorator, form.Call) else decorator


def _is_for_reading(using: form.Expr | None) -> bool:
    """`atomic(using=settings.REPLICA)`: what is written meanwhile goes to another database."""
    if isinstance(using, form.Const):
        return isinstance(using.value, str) and not _READING.isdisjoint(words(using.value))
    return using is not None and not _READING.isdisjoint(words(last_name(using) or ""))


def _is_false(node: form.Expr | None) -> bool:
    return isinstance(node, form.Const) and node.value is False
