"""The connections of the service to its databases."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.databases import liveness
from assay.scanner.databases.aliases import Alias, aliases
from assay.scanner.databases.clients import Client, clients, given_at_run_time
from assay.scanner.databases.keeping import kept_by
from assay.scanner.databases.spelled import Speller, Spelling, Word
from assay.scanner.databases.timeouts import timeout_for_all, timeout_of
from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.database import Dialect
from assay.scanner.model.database_connection import DatabaseConnection
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.queries.requests import Requests
from assay.scanner.readers.python import form
from assay.scanner.schema.databases import dialects_of, named
from assay.scanner.services import ServiceRoot

_FLASK_SETTINGS = ("SQLALCHEMY_ENGINE_OPTIONS", "SQLALCHEMY_DATABASE_URI", "SQLALCHEMY_ENGINES", "SQLALCHEMY_BINDS")


def database_connections(gathered: Gathered) -> Iterator[DatabaseConnection]:
    """Engines, pools and connections that code makes, and Django's aliases."""
    finder = _Finder(gathered)
    for client in clients(gathered):
        yield finder.of_client(client)
    for alias in aliases(gathered):
        yield finder.of_alias(alias)


class _Finder:
    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._speller = Speller(gathered.project)
        self._ordinals = Ordinals()
        self._requests = Requests((route for route, _ in gathered.endpoints), gathered.project)
        self._for_all: dict[str, Evidence | None] = {}
        self._dialects: dict[str, frozenset[Dialect]] = {}

    def of_client(self, client: Client) -> DatabaseConnection:
        """What `create_engine(...)` and the like make."""
        call, scope, library = client.call, client.scope, client.library
        spelling = self._speller.of_call(call, scope)
        spelling.is_open = spelling.is_open or client.is_extended
        if library.kind.endswith("Flask-SQLAlchemy"):
            self._add_settings(spelling)
        group = around(scope)
        number = self._ordinals.next(group, library.kind)
        kept = liveness.of_engine(spelling, self._gathered) if library.is_pool else None
        return DatabaseConnection(
            group=group,
            name=f"{library.kind} {number}",
            kind=library.kind,
            location=scope.module.location(call),
            role=scope.module.role,
            dialects=self._said(spelling, scope, library.dialect),
            statement_timeout=Option(True) if library.has_timeout else self._timeout(spelling, scope),
            liveness=kept,
            is_relational=library.is_relational,
            request=self._requests.leading_to(scope.function) if scope.function is not None else (),
            kept=kept_by(client),
            foreign=given_at_run_time(client),
            offline=self._offline(scope),
        )

    def of_alias(self, alias: Alias) -> DatabaseConnection:
        """An entry of `DATABASES`."""
        spelling = self._speller.of(alias.node, alias.scope)
        if alias.name is None:
            spelling.is_open = True
        else:
            self._add_assigned(alias, spelling)
        engine = spelling.named("ENGINE")
        if engine is None:
            spelling.is_open = spelling.is_open or alias.name is None
        return DatabaseConnection(
            group=alias.module.name,
            name=f"DATABASES {alias.name or ''}".strip(),
            kind=f'Django alias "{alias.name}"' if alias.name is not None else "Django database",
            location=alias.scope.module.location(alias.node),
            role=Role.PROD,
            dialects=self._said(spelling, alias.scope, None),
            statement_timeout=self._timeout(spelling, alias.scope),
            liveness=Option(None) if alias.name is None else liveness.of_alias(spelling, self._gathered),
        )

    def _add_assigned(self, alias: Alias, spelling: Spelling) -> None:
        """`DATABASES["default"]["OPTIONS"] = ...` in the settings."""
        for statement, scope in alias.module.assignments:
            for target in statement.targets:
                written = [n.value for n in _indices(target)]
                if written[:1] == [alias.name] and statement.value is not None and len(written) > 1:
                    found = self._speller.of(statement.value, scope)
                    spelling.words += found.words
                    spelling.words.append(Word(str(written[-1]), statement.value, statement.value, scope))

    def _add_settings(self, spelling: Spelling) -> None:
        """What Flask's configuration says of the engines."""
        for module in self._gathered.project.modules.values():
            if module.role is not Role.PROD:
                continue
            for statement, scope in module.assignments:
                names = {_setting_name(t) for t in statement.targets}
                if statement.value is not None and not names.isdisjoint(_FLASK_SETTINGS):
                    spelling.words += self._speller.of(statement.value, scope).words

    def _timeout(self, spelling: Spelling, scope: Scope) -> Option:
        root = self._gathered.owners.of(scope.module.path)
        if root is None:
            return timeout_of(spelling, None)
        if root.name not in self._for_all:
            self._for_all[root.name] = timeout_for_all(self._gathered, root)
        return timeout_of(spelling, self._for_all[root.name])

    def _said(self, spelling: Spelling, scope: Scope, known: Dialect | None) -> tuple[str, ...]:
        """The database that its own words name, or those that the service is written for."""
        if known is not None:
            return (known.value,)
        own = {d for w in spelling.words if (d := self._of_word(w.name, w.node)) is not None}
        if own:
            # A file is what development falls back to, where the address comes from the environment.
            servers = own - {Dialect.SQLITE} or (self._servers(scope) if _reads_environment(spelling) else frozenset())
            return tuple(sorted(d.value for d in servers or own))
        root = self._gathered.owners.of(scope.module.path)
        return tuple(sorted(d.value for d in self._of_service(root))) if root is not None else ()

    def _servers(self, scope: Scope) -> frozenset[Dialect]:
        root = self._gathered.owners.of(scope.module.path)
        return self._of_service(root) - {Dialect.SQLITE} if root is not None else frozenset()

    def _of_word(self, name: str, node: object) -> Dialect | None:
        text = getattr(node, "value", None)
        if not isinstance(text, str) or not (name == "ENGINE" or "://" in text):
            return None
        return named(text.partition("://")[0])

    def _of_service(self, root: ServiceRoot) -> frozenset[Dialect]:
        if root.name not in self._dialects:
            self._dialects[root.name] = dialects_of(self._gathered, root)
        return self._dialects[root.name]

    def _offline(self, scope: Scope) -> str | None:
        reason = offline_reason(scope)
        if reason is None and not scope.module.imported_packages.isdisjoint({"alembic", "flask_migrate"}):
            return None if _is_for_all(scope) else "migration"
        if reason is None and scope.function is not None and is_command(scope.function, self._gathered.project):
            return "command line"
        return "script that waits" if reason is None and _waits(scope) else reason


def _waits(scope: Scope) -> bool:
    """Whether all the code around is there for is to try until the database answers: a loop that sleeps, and ends."""
    for statement in scope.body:
        for loop in form.walk(statement, into_definitions=False):
            if not isinstance(loop, form.While | form.For):
                continue
            inside = [n for s in loop.body for n in form.walk(s, into_definitions=False)]
            sleeps = any(isinstance(n, form.Call) and last_name(n.func) == "sleep" for n in inside)
            if sleeps and any(isinstance(n, form.Return) or _is_break(n) for n in inside):
                return True
    return False


def _is_break(node: form.Expr | form.Stmt) -> bool:
    return isinstance(node, form.Jump) and node.keyword == "break"


def _is_for_all(scope: Scope) -> bool:
    """Whether the connection is made at the module's level, for whoever imports it."""
    return scope.function is None


def _reads_environment(spelling: Spelling) -> bool:
    """Whether the address may be set from outside: a variable's name is among the words."""
    texts = (getattr(word.node, "value", None) for word in spelling.words)
    return any(isinstance(text, str) and text.isupper() and text.replace("_", "").isalnum() for text in texts)


def _indices(target: form.Expr) -> list[form.Const]:
    """`["default", "OPTIONS"]` of `DATABASES["default"]["OPTIONS"]`; nothing for anything else."""
    found: list[form.Const] = []
    while isinstance(target, form.Subscript) and isinstance(target.index, form.Const):
        found.insert(0, target.index)
        target = target.value
    return found if isinstance(target, form.Name) and target.id == "DATABASES" else []


def _setting_name(target: form.Expr) -> str | None:
    """The setting that `NAME = ...`, `self.NAME = ...` or `app.config["NAME"] = ...` sets."""
    if isinstance(target, form.Subscript):
        return (
            target.index.value if isinstance(target.index, form.Const) and isinstance(target.index.value, str) else None
        )
    return last_name(target)
