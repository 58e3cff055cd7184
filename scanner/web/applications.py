"""Applications: the objects of one framework that routes are added to, each known by the call that makes it."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance, Value
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.lists import Item, spelled_out

_DEEPEST = 4
"""Names that a name may stand for."""


DEFAULT = form.Call(start=0, end=0, func=form.Name(start=0, end=0, id="default"), args=[])
"""Stands for an application that the framework makes itself, and no call in the project."""


class Applications:
    """All objects of a project whose type is one of `names`, or a subclass of one. `defaults` are the functions that
    give the framework's own.
    """

    def __init__(self, project: Project, names: frozenset[str], defaults: frozenset[str] = frozenset()) -> None:
        self._project = project
        self._names = names
        self._defaults = defaults
        self._made: dict[form.Call, Instance] = {}
        subclasses = {cls.name for cls in project.classes if project.is_subclass(cls, *names)}
        for call, scope in project.calls_named(*sorted({last_part(name) for name in names} | subclasses)):
            self.of(call, scope, {})

    def __getitem__(self, application: form.Call) -> Instance:
        return self._made[application]

    def __iter__(self) -> Iterator[form.Call]:
        return iter(self._made)

    def of(self, node: form.Expr, scope: Scope, given: Given, depth: int = _DEEPEST) -> form.Call | None:
        """The application that an expression stands for; where only its type is known, the only one of that type."""
        value = resolved(node, scope, self._project, given)
        if isinstance(value, Instance) and value.type_name in self._defaults:
            return DEFAULT
        if not isinstance(value, Instance) or not self.is_one(value):
            return self._rebound(node, scope, given, depth)
        if value.origin is None:
            alike = [call for call, known in self._made.items() if self._may_be(known, value)]
            return alike[0] if len(alike) == 1 else None
        self._made.setdefault(value.origin, value)
        return value.origin

    def _rebound(self, node: form.Expr, scope: Scope, given: Given, depth: int) -> form.Call | None:
        """What a name stood for before it was bound to a wrapper: `app = App()`, and later `app = Logged(app)`."""
        meanings = spelled_out(Item(node, scope, given), self._project) if isinstance(node, form.Name) and depth else []
        found = (self.of(item.node, item.scope, item.given, depth - 1) for item in meanings)
        return next((application for application in found if application is not None), None)

    def is_one(self, value: Value | None) -> bool:
        return isinstance(value, Instance) and (
            value.type_name in self._names
            or (value.cls is not None and self._project.is_subclass(value.cls, *self._names))
        )

    def _may_be(self, known: Instance, wanted: Instance) -> bool:
        """Whether an object that a test makes is none that production code could mean."""
        if known.scope is None or known.scope.module.role is not Role.PROD:
            return False
        if wanted.cls is None:
            return known.cls is not None or known.type_name == wanted.type_name
        return known.cls is not None and wanted.cls in self._project.mro(known.cls)
