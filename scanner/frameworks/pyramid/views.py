"""Pyramid's views: what is declared of one, by decorators of functions, methods and classes, and by `add_view`
(https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/viewconfig.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import one_or_many, string_value
from assay.scanner.framework import Context, Sited
from assay.scanner.frameworks.pyramid.configuration import Configuration
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Value
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.web.answers import kind_of_handler
from assay.scanner.web.registrations import Registration, decorations

_VIEW_CONFIG = frozenset({"pyramid.view.view_config"})
_VIEW_DEFAULTS = frozenset({"pyramid.view.view_defaults"})
_PAGES = (".pt", ".mako", ".mak", ".jinja2", ".j2", ".jinja", ".html", ".txt")
_KINDS = {
    "render": EndpointKind.HTML,
    "render_to_response": EndpointKind.HTML,
    "FileResponse": EndpointKind.FILE,
    "FileIter": EndpointKind.FILE,
    "dumps": EndpointKind.JSON,
}


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """One declaration: `function` runs, `cls` is the class that it is a method of.

    `call` is the declaration; what it leaves open may be said by `defaults`, those of the class.
    """

    call: form.Call
    scope: Scope
    function: FunctionSymbol | None
    cls: ClassSymbol | None
    defaults: tuple[form.Call, Scope] | None = None

    @property
    def location(self) -> Location:
        return self.scope.module.location(self.call)

    @property
    def name(self) -> str:
        if self.function is None:
            return "unknown"
        return f"{self.cls.id}.{self.function.name}" if self.cls is not None else self.function.id

    def stated(self, keyword: str) -> Sited | None:
        """The argument of that name, of the declaration or of the class's defaults."""
        own = self.call.keyword(keyword)
        if own is not None:
            return Sited(own, self.scope)
        default = self.defaults[0].keyword(keyword) if self.defaults is not None else None
        return Sited(default, self.defaults[1]) if self.defaults is not None and default is not None else None


class Views:
    """The views of one project."""

    def __init__(self, context: Context, configuration: Configuration) -> None:
        self._project = context.project
        self._configuration = configuration

    def all(self) -> Iterator[View]:
        for found in decorations(self._project):
            if not self._declares(found):
                continue
            if isinstance(found.handler, ClassSymbol):
                yield self._of_class(found.call, found.scope, found.handler)
            elif isinstance(found.handler, FunctionSymbol):
                owner = found.handler.owner
                yield View(found.call, found.scope, found.handler, owner, self._defaults(owner))
        for call, scope in self._project.calls_named("add_view"):
            node = call.argument(0, "view")
            value = self._configuration.named(node, scope, {}) if node is not None else None
            if self._configuration.prefixes(call, scope, {}):
                yield self._given(call, scope, value)

    def _declares(self, found: Registration) -> bool:
        """`@view_config(...)`, or a decorator of the project that is told a route's name as that is."""
        value = self._project.infer(found.call.func, found.scope)
        if isinstance(value, FunctionSymbol | ClassSymbol):
            return found.call.keyword("route_name") is not None
        return isinstance(value, External) and value.name in _VIEW_CONFIG

    def _given(self, call: form.Call, scope: Scope, value: Value | None) -> View:
        if isinstance(value, ClassSymbol):
            return self._of_class(call, scope, value)
        function = value.function if isinstance(value, BoundMethod) else value
        if not isinstance(function, FunctionSymbol):
            return View(call, scope, None, None)
        return View(call, scope, function, function.owner, self._defaults(function.owner))

    def _of_class(self, call: form.Call, scope: Scope, cls: ClassSymbol) -> View:
        """The method that `attr` names, or the one that makes instances callable."""
        stated = call.keyword("attr")
        attribute = string_value(stated, scope, self._project) if stated is not None else "__call__"
        method = self._project.method(cls, attribute) if attribute is not None else None
        return View(call, scope, method, cls, self._defaults(cls))

    def _defaults(self, cls: ClassSymbol | None) -> tuple[form.Call, Scope] | None:
        """`@view_defaults` of the class, or of the nearest base that has some."""
        for base in self._project.mro(cls) if cls is not None else ():
            if isinstance(base, ClassSymbol):
                for decorator in base.node.decorators:
                    if self._is_defaults(decorator, base.outer) and isinstance(decorator, form.Call):
                        return decorator, base.outer
        return None

    def _is_defaults(self, decorator: form.Expr, scope: Scope) -> bool:
        called = decorator.func if isinstance(decorator, form.Call) else decorator
        return self._project.qualified_name(called, scope) in _VIEW_DEFAULTS


def methods_of(view: View, project: Project) -> list[str | None]:
    """The methods that the view asks for, None for one that can't be told; nothing where it takes any."""
    stated = view.stated("request_method")
    items = one_or_many(stated.node, stated.scope, project) if stated is not None else []
    return [string_value(*item, project) for item in items]


def kind_of(view: View, project: Project) -> EndpointKind | None:
    """By the renderer, else by what the view returns."""
    stated = view.stated("renderer")
    renderer = string_value(stated.node, stated.scope, project) if stated is not None else None
    if renderer is not None and renderer.endswith(_PAGES):
        return EndpointKind.HTML
    if renderer is not None and "json" in renderer:
        return EndpointKind.JSON
    return kind_of_handler(view.function, project, _KINDS) if view.function is not None else None


def answers_exceptions(view: View, project: Project) -> bool:
    """Whether it is a view for what other views raise, which no path leads to."""
    stated = view.stated("context")
    value = project.infer(stated.node, stated.scope) if stated is not None else None
    if isinstance(value, ClassSymbol):
        return any(last_part(name).endswith(("Exception", "Error")) for name in project.base_names(value))
    return isinstance(value, External) and (
        value.name.startswith(("pyramid.httpexceptions.", "pyramid.exceptions."))
        or value.name.endswith(("Exception", "Error"))
    )
