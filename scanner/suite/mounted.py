"""Clients of an application that is mounted in another: their paths begin where it is mounted."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.suite.collected import Suite

_DEEPEST = 3
"""Fixtures that ask for one another."""


class Mounts:
    """Where each application of the project is mounted, and which of them a client was made for."""

    def __init__(self, suite: Suite) -> None:
        self._suite = suite
        self._project = suite.project
        self._prefixes = dict(self._mounted())
        self._of_fixtures: dict[FunctionSymbol, str | None] = {}

    def _mounted(self) -> Iterator[tuple[form.Call, str]]:
        """`app.mount("/admin/api", api)`."""
        for call, scope in self._project.calls_named("mount"):
            path, app = call.argument(0, "path"), call.argument(1, "app")
            prefix = string_value(path, scope, self._project) if path is not None else None
            value = self._project.infer(app, scope) if app is not None else None
            if scope.module.role is Role.PROD and prefix and isinstance(value, Instance) and value.origin is not None:
                yield value.origin, prefix.rstrip("/")

    def prefix(self, call: form.Call, scope: Scope) -> str | None:
        """What stands before the path of a request; None where its client isn't known to be a mounted application's."""
        receiver = call.func.value if isinstance(call.func, form.Attr) else None
        function = scope.enclosing_function
        if not self._prefixes or not isinstance(receiver, form.Name) or function is None:
            return None
        if any(p.name == receiver.id for p in function.parameters):
            fixture = self._suite.fixture(receiver.id, function)
            return self._of_fixture(fixture, _DEEPEST) if fixture is not None else None
        made = (b.value for b in scope.lookup(receiver.id, receiver.start) if b.value is not None)
        found = (self._spoken_of(value, scope) for value in made)
        return next((prefix for prefix in found if prefix is not None), None)

    def _of_fixture(self, fixture: FunctionSymbol, deepest: int) -> str | None:
        """Of the application that the fixture speaks of, or that one of those that it asks for does."""
        if fixture not in self._of_fixtures:
            self._of_fixtures[fixture] = None  # for fixtures that ask for each other
            found = (self._prefix_of(node, fixture.scope) for node in form.walk_body(fixture.node.body))
            own = next((prefix for prefix in found if prefix is not None), None)
            if own is None and deepest:
                asked = (self._suite.fixture(p.name, fixture) for p in fixture.parameters)
                below = (self._of_fixture(f, deepest - 1) for f in asked if f is not None)
                own = next((prefix for prefix in below if prefix is not None), None)
            self._of_fixtures[fixture] = own
        return self._of_fixtures[fixture]

    def _spoken_of(self, value: form.Expr, scope: Scope) -> str | None:
        found = (self._prefix_of(node, scope) for node in form.walk(value))
        return next((prefix for prefix in found if prefix is not None), None)

    def _prefix_of(self, node: form.Expr | form.Stmt, scope: Scope) -> str | None:
        if not isinstance(node, form.Name | form.Attr):
            return None
        value = self._project.infer(node, scope)
        return self._prefixes.get(value.origin) if isinstance(value, Instance) and value.origin is not None else None
