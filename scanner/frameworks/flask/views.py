"""Flask's views: the functions, and the methods of classes, that answer, with all that their decorators say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import Given, definitions, list_items, string_items
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Guard, Sited
from assay.scanner.frameworks.flask.declared import NOTHING_DECLARED, Declared, declared_by
from assay.scanner.frameworks.flask.guards import guards_of, guards_of_class, guards_of_handler
from assay.scanner.frameworks.flask.limits import NO_THROTTLING, RateLimits, Throttling
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.paging import paging_decorators
from assay.scanner.web.ready_made import ready_made_view

VERBS = ("get", "post", "put", "patch", "delete", "options")
_DEEPEST = 5
"""Names and wrappers that a view is looked for behind."""


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What answers; `guards` are those around it and its own. `methods` is None where the registration says them.

    `made` is the call that makes a library's view.
    """

    function: FunctionSymbol | None
    cls: ClassSymbol | None
    name: str
    guards: tuple[Guard, ...] = ()
    methods: tuple[str, ...] | None = None
    declared: Declared = NOTHING_DECLARED
    throttling: Throttling = NO_THROTTLING
    paginators: tuple[Evidence, ...] = ()
    made: Sited | None = None


def verb_methods(cls: ClassSymbol, project: Project) -> list[tuple[str, FunctionSymbol]]:
    """The verbs that the class has methods of its own or inherited ones for, in a fixed order."""
    found = [(verb.upper(), project.method(cls, verb)) for verb in VERBS]
    return [(verb, method) for verb, method in found if method is not None]


class Views:
    """Reads the views of one project."""

    def __init__(self, project: Project, limits: RateLimits) -> None:
        self._project = project
        self._limits = limits

    def of_function(
        self, function: FunctionSymbol, decorators: Sequence[form.Expr], around: tuple[Guard, ...] = ()
    ) -> View:
        """Only `decorators` act: those above `route` wrap a function that Flask no longer asks for."""
        return self._view(function, None, decorators, around, None, NOTHING_DECLARED)

    def of_class(self, cls: ClassSymbol, around: tuple[Guard, ...] = (), said: Declared | None = None) -> list[View]:
        """The class's methods by verb, or its `dispatch_request`; `said` is what the class's decorators declare."""
        of_class = self._class_decorators(cls)
        before = said or NOTHING_DECLARED
        for decorators, scope in of_class:
            before = declared_by(decorators, scope, self._project, before)
        found = []
        for verb, method in verb_methods(cls, self._project):
            guards = (*around, *guards_of_class(cls, verb.lower(), self._project))
            found.append(self._view(method, cls, method.decorators, guards, (verb,), before))
        dispatch = self._project.method(cls, "dispatch_request")
        if not found and dispatch is not None:
            stated = self._project.class_attribute(cls, "methods")
            methods = [m.upper() for m in string_items(*stated, self._project) if m] if stated is not None else ["GET"]
            guards = (*around, *guards_of_class(cls, "", self._project))
            found.append(self._view(dispatch, cls, dispatch.decorators, guards, tuple(methods), before))
        return found

    def _class_decorators(self, cls: ClassSymbol) -> list[tuple[list[form.Expr], Scope]]:
        """Those above the class, and those that it lists."""
        known = (self._project.class_attribute(cls, name) for name in ("decorators", "method_decorators"))
        items = [item for listed in known if listed is not None for item in list_items(*listed, self._project)]
        return [(cls.node.decorators, cls.outer), *(([node], scope) for node, scope in items)]

    def _view(
        self,
        function: FunctionSymbol,
        cls: ClassSymbol | None,
        decorators: Sequence[form.Expr],
        guards: tuple[Guard, ...],
        methods: tuple[str, ...] | None,
        said: Declared,
    ) -> View:
        declared = declared_by(decorators, function.outer, self._project, said)
        around = self._class_decorators(cls) if cls is not None else []
        return View(
            function,
            cls,
            f"{cls.id}.{function.name}" if cls is not None else function.id,
            (*guards, *guards_of_handler(function, decorators, self._project)),
            methods,
            declared,
            self._limits.of_decorators([*around, (decorators, function.outer)]),
            (*declared.paginators, *paging_decorators(decorators, function.outer, self._project)),
        )

    def of_expression(
        self,
        node: form.Expr | None,
        scope: Scope,
        given: Given,
        around: tuple[Guard, ...] = (),
        depth: int = _DEEPEST,
    ) -> list[View]:
        """What `view_func` stands for: a function, `View.as_view(...)`, or one of them in a decorator's call."""
        if node is None or not depth:
            return []
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr == "as_view":
            cls = resolved(node.func.value, scope, self._project, given)
            made = ready_made_view(cls, self._project)
            if made is not None:
                derived = cls if isinstance(cls, ClassSymbol) else None
                return [View(None, derived, made.name, around, made.methods, made=Sited(node, scope))]
            return self.of_class(cls, around) if isinstance(cls, ClassSymbol) else []
        for expression, inner in self._definitions(node, scope, given):
            found = self.of_expression(expression, inner, given, around, depth - 1)
            if found:
                return found
        value = resolved(node, scope, self._project, given)
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, FunctionSymbol) and not isinstance(node, form.Call):
            return [self.of_function(function, function.decorators, around)]
        if isinstance(node, form.Call) and node.positional:
            wrapped = tuple(guards_of([node.func], scope, self._project))
            return self.of_expression(node.positional[0], scope, given, (*around, *wrapped), depth - 1)
        name = value.name if isinstance(value, External) else form.dotted(node)
        return [View(None, None, name or "unknown", around)]

    def _definitions(self, node: form.Expr, scope: Scope, given: Given) -> list[tuple[form.Expr, Scope]]:
        """What a name was given: by the caller of the function around, else by its assignments."""
        if not isinstance(node, form.Name | form.Attr):
            return []
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
        known = given.get((bindings[0].scope, node.id)) if bindings and isinstance(node, form.Name) else None
        return [known] if known is not None else definitions(node, scope, self._project)
