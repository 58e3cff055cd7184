"""Pyramid's configurators: which functions configure an application, and below which path they do it
(https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/extending.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import Given, string_value
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Context
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.linker.values import BoundMethod, Instance, Namespace, Value
from assay.scanner.readers.python import form
from assay.scanner.web.paths import path_part

CONFIGURATORS = frozenset({"pyramid.config.Configurator"})
_INCLUDED = "includeme"
_DEEPEST = 12
"""Includes inside includes: more come from a cycle."""


def joined(prefix: str, pattern: str) -> str:
    """A pattern below a prefix, as a configurator joins them; the route always begins with a slash."""
    below = f"{prefix.rstrip('/')}/{pattern.lstrip('/')}" if prefix and pattern else prefix or pattern
    return "/" + below.lstrip("/")


class Configuration:
    """The configurators of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project

    @cached_property
    def _includes(self) -> dict[FunctionSymbol, list[tuple[form.Call, Scope]]]:
        """The functions that `config.include(...)` names, each with the calls that do."""
        found: dict[FunctionSymbol, list[tuple[form.Call, Scope]]] = {}
        for call, scope in self._project.calls_named("include"):
            included = call.argument(0, "callable")
            function = self._included(included, scope) if included is not None else None
            if function is not None:
                found.setdefault(function, []).append((call, scope))
        return found

    @cached_property
    def _contexts(self) -> dict[Scope, list[tuple[form.With, form.Call]]]:
        """The statements `with config.route_prefix_context(...)`, by the scope that they run in."""
        found: dict[Scope, list[tuple[form.With, form.Call]]] = {}
        for call, scope in self._project.calls_named("route_prefix_context"):
            for node in form.walk_body(scope.body, into_definitions=False):
                if isinstance(node, form.With) and any(item.value is call for item in node.items):
                    found.setdefault(scope, []).append((node, call))
        return found

    def prefixes(self, call: form.Call, scope: Scope, given: Given, depth: int = _DEEPEST) -> list[str]:
        """The paths below which `config.add_route(...)` acts, one for each way to get there; none where the object
        that is acted on is no configurator.
        """
        return list(self._outer(call.func.value, scope, given, depth)) if isinstance(call.func, form.Attr) else []

    def _outer(self, config: form.Expr, scope: Scope, given: Given, depth: int) -> Iterator[str]:
        """The path below which a configurator acts, where an expression stands for it."""
        inner = ""
        for statement, entered in self._contexts.get(scope, ()):
            if statement.body[0].start <= config.start < statement.end:
                inner = joined(inner, self._text(entered.argument(0, "route_prefix"), scope, given))
        for outer in self._made(config, scope, given, depth) if depth else ():
            yield joined(outer, inner)

    def _made(self, config: form.Expr, scope: Scope, given: Given, depth: int) -> Iterator[str]:
        bindings = scope.lookup(config.id, config.start) if isinstance(config, form.Name) else []
        known = given.get((bindings[0].scope, bindings[0].param.name)) if bindings and bindings[0].param else None
        if known is not None and known[0] is not config:
            yield from self._outer(*known, given, depth - 1)
            return
        value = resolved(config, scope, self._project, given)
        if isinstance(value, Instance) and value.type_name in CONFIGURATORS and value.origin is not None:
            yield self._text(value.origin.keyword("route_prefix"), value.scope or scope, given)
        elif bindings and bindings[0].function is not None and bindings[0].param is not None:
            yield from self._of_parameter(bindings[0].function, bindings[0].param, depth - 1)

    def _of_parameter(self, function: FunctionSymbol, param: form.Param, depth: int) -> Iterator[str]:
        """The paths below which a function configures, by those that include or call it."""
        included = self._includes.get(function, []) if param is function.parameters[0] else []
        for call, scope in included:
            for outer in self.prefixes(call, scope, {}, depth):
                yield joined(outer, self._text(call.argument(1, "route_prefix"), scope, {}))
        callers = self._project.callers(function)
        for call, scope in callers:
            argument = self._project.bound_argument(call, function, param)
            if argument is not None:
                yield from self._outer(argument, scope, {}, depth)
        if function.name == _INCLUDED and not included and not callers:
            self._context.unresolved(function.location, "what includes this can't be told")
            yield ""

    def _text(self, node: form.Expr | None, scope: Scope, given: Given) -> str:
        is_none = isinstance(node, form.Const) and node.value is None
        return "" if is_none else path_part(node, scope, self._context, given)

    def _included(self, node: form.Expr, scope: Scope) -> FunctionSymbol | None:
        """A function, or the `includeme` of a module; None for a library's."""
        value = self.named(node, scope, {})
        if isinstance(value, Module):
            value = self._project.member(value, _INCLUDED)
        if isinstance(value, BoundMethod):
            value = value.function
        is_text = string_value(node, scope, self._project) is not None
        if value is None and not is_text:
            self._context.unresolved(scope.module.location(node), "what is included here can't be told")
        return value if isinstance(value, FunctionSymbol) else None

    def named(self, node: form.Expr, scope: Scope, given: Given) -> Value | None:
        """What an expression stands for, or the dotted name in a string, which may be relative to the package."""
        if isinstance(node, form.Name) and node.id == "__name__":
            return scope.module
        text = string_value(node, scope, self._project, given)
        if text is not None:
            return dotted(text, scope.module, self._project)
        return resolved(node, scope, self._project, given)


def dotted(text: str, importer: Module, project: Project) -> Value | None:
    """What `package.module`, `.module.name` or `package.module:name` stands for in the project."""
    absolute = text.lstrip(".").replace(":", ".")
    level, names = len(text) - len(text.lstrip(".")), absolute.split(".") if absolute else []
    for split in range(len(names), -1, -1):
        module = project.import_module(".".join(names[:split]), level, importer) if split or level else None
        value: Value | None = module
        for name in names[split:]:
            value = project.member(value, name) if isinstance(value, Module | Namespace) else None
        if isinstance(module, Module) and value is not None:
            return value
    return None
