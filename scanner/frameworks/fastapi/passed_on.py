"""Methods of routers that are handed to a function of the project, which registers by them:
`@protected_route(router.get, "/items", [Scope.READ])`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.dataflow.constants import Given
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.readers.python import form
from assay.scanner.web.registrations import decorations


@dataclass(frozen=True, slots=True, eq=False)
class PassedOn:
    """`call` registers as if it were the method's own call: the names in it mean what is `given`. `handler` is what it
    is registered for, `position` the place of the decorator on it.
    """

    call: form.Call
    inner: Scope
    given: Given
    handler: FunctionSymbol | ClassSymbol
    position: int


class PassedMethods:
    """What functions of one project register by the methods that they are handed."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of(self, call: form.Call, scope: Scope, method: form.Attr) -> Iterator[PassedOn]:
        """What the call comes to that hands the method on."""
        function = self._project.callee_function(call, scope)
        decorated = self._decorated.get(id(call))
        if function is None or decorated is None:
            return
        given = arguments(call, scope, function, self._project)
        names = [name for (owner, name), (node, _) in given.items() if node is method and owner is function.scope]
        for inner, inner_scope in function.module.calls_named(names):
            maker = inner_scope.function
            if isinstance(inner.func, form.Name) and maker is not None and function in (maker, maker.outer.function):
                made = form.Call(start=inner.start, end=inner.end, func=method, args=inner.args)
                yield PassedOn(made, inner_scope, given, *decorated)

    @cached_property
    def _decorated(self) -> dict[int, tuple[FunctionSymbol | ClassSymbol, int]]:
        """By decorator: what it stands on, and the decorators before it."""
        return {
            id(found.call): (found.handler, found.position - 1)
            for found in decorations(self._project)
            if isinstance(found.handler, FunctionSymbol | ClassSymbol)
        }
