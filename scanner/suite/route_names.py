"""The names by which code asks for the path of a route: `reverse`, `url_for`, `url_path_for`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from fnmatch import fnmatchcase, translate

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.naming.templates import template_of
from assay.scanner.readers.python import form

_EXTRA = frozenset({"action", "list_route", "detail_route", "link"})
"""Decorators of the actions that REST framework's routers make routes of their own for."""
_REGISTERING = frozenset({"register", "register_viewset"})
_STATING = ("name", "endpoint", "basename", "base_name", "url_name")
_MOST_ALIKE = 3
"""Routes of one name in other namespaces, of which one may be meant."""


class RouteNames:
    """The routes of a project by name. What can't be told of a namespace isn't held against a route."""

    def __init__(self, served: Iterable[tuple[Route, Endpoint]], project: Project) -> None:
        self._project = project
        self._spaces: dict[form.Expr, str | None] = {}
        self._found: dict[str, tuple[Sequence[Endpoint], Sequence[Endpoint]]] = {}
        self._by_name: dict[str, list[tuple[tuple[str, ...], Endpoint]]] = {}
        for route, endpoint in served:
            spaces = tuple(s for step in route.steps if (s := self._namespace(step)) is not None)
            for name in dict.fromkeys(self._names(route)):
                self._by_name.setdefault(name, []).append((spaces, endpoint))

    def named(self, asked: str) -> tuple[Sequence[Endpoint], Sequence[Endpoint]]:
        """The endpoints that surely have the name, and those that may have it."""
        if asked not in self._found:
            self._found[asked] = self._find(asked)
        return self._found[asked]

    def _find(self, asked: str) -> tuple[Sequence[Endpoint], Sequence[Endpoint]]:
        if asked in self._by_name:
            return [e for _, e in self._by_name[asked]], ()
        separator = ":" if ":" in asked else "."
        *spaces, name = asked.split(separator)
        if "*" in name:
            pattern = re.compile(translate(name))
            found = [item for known, items in self._by_name.items() if pattern.match(known) for item in items]
            return (), [e for own, e in found if _agree(spaces, own)]
        known = self._by_name.get(name, [])
        exact = [e for own, e in known if _agree(spaces, own)]
        if exact:
            return exact, ()
        near = [e for own, e in known if not own or set(own).intersection(spaces)]
        others = near or [e for _, e in known]
        return (others, ()) if len({e.path for e in others}) <= _MOST_ALIKE else ((), others)

    def _names(self, route: Route) -> Iterator[str]:
        if route.url_name is not None:
            yield route.url_name
        if route.path.endswith("^$"):
            yield "api-root"  # of REST framework's routers
        step = route.steps[-1] if route.steps else None
        call = step.node if step is not None else None
        function = route.handler.name if route.handler is not None else None
        stated = self._stated(call, step) if isinstance(call, form.Call) and step is not None else None
        if isinstance(call, form.Call) and last_name(call.func) in _REGISTERING:
            yield from self._of_router(route, stated)
            return
        if stated is not None:
            yield stated
        elif route.url_name is None:
            # Frameworks name a route after its function, and a view's after its class.
            cls = route.view_class.name if route.view_class is not None else None
            yield from (n for n in (function if cls is None else None, cls, cls.lower() if cls else None) if n)

    def _of_router(self, route: Route, base: str | None) -> Iterator[str]:
        """`{basename}-{action}`, as REST framework's routers make it; without a basename the model's name is it."""
        segments = [s for s in template_of(route.path).segments if s.text]
        last = "detail" if segments and segments[-1].parameters else "list"
        if self._is_extra(route):
            last = self._url_name(route) or route.handler_name.rpartition(".")[2].replace("_", "-")
        bases = [base] if base is not None else list(self._models(route))
        yield from (f"{b}-{last}" for b in bases)

    def _is_extra(self, route: Route) -> bool:
        decorators = route.handler.decorators if route.handler is not None else ()
        return any(last_name(d.func if isinstance(d, form.Call) else d) in _EXTRA for d in decorators)

    def _url_name(self, route: Route) -> str | None:
        for decorator in route.handler.decorators if route.handler is not None else ():
            stated = decorator.keyword("url_name") if isinstance(decorator, form.Call) else None
            if stated is not None and route.handler is not None:
                return string_value(stated, route.handler.outer, self._project)
        return None

    def _models(self, route: Route) -> Iterator[str]:
        cls = route.view_class
        for attribute in ("queryset", "model") if cls is not None else ():
            found = self._project.class_attribute(cls, attribute) if cls is not None else None
            node = found[0] if found is not None else None
            while isinstance(node, form.Call | form.Attr):
                node = node.func if isinstance(node, form.Call) else node.value
            if isinstance(node, form.Name):
                yield node.id.lower()
                return

    def _stated(self, call: form.Call, step: Sited) -> str | None:
        for keyword in _STATING:
            node = call.keyword(keyword)
            if node is not None:
                return string_value(node, step.scope, self._project)
        position = {"register": 2, "add_url_rule": 1}.get(last_name(call.func) or "")
        node = call.argument(position, "") if position is not None else None
        return string_value(node, step.scope, self._project) if node is not None else None

    # --- namespaces ---

    def _namespace(self, step: Sited) -> str | None:
        if step.node not in self._spaces:
            self._spaces[step.node] = self._namespace_of(step)
        return self._spaces[step.node]

    def _namespace_of(self, step: Sited) -> str | None:
        """Of `path(prefix, include(...))`: what `include` says, else the included module's `app_name`."""
        call = step.node
        if not isinstance(call, form.Call):
            return None
        target = call.argument(1, "view")
        if last_name(call.func) == "include_router" or not isinstance(target, form.Call):
            return None
        stated = target.keyword("namespace")
        given = target.positional[0] if target.positional else None
        if stated is None and isinstance(given, form.Display) and given.kind == "tuple" and len(given.items) > 1:
            stated = given.items[1]
        if stated is not None:
            return string_value(stated, step.scope, self._project)
        module = self._included(given, step) if given is not None else None
        bindings = module.scope.bindings.get("app_name", []) if module is not None else []
        value = bindings[-1].value if bindings else None
        return string_value(value, bindings[-1].scope, self._project) if value is not None else None

    def _included(self, node: form.Expr, step: Sited) -> Module | None:
        value = self._project.infer(node, step.scope)
        if isinstance(value, Module):
            return value
        text = string_value(node, step.scope, self._project)
        found = self._project.module_named(text, step.module.path) if text is not None else None
        return found if isinstance(found, Module) else None


def _agree(asked: Sequence[str], own: Sequence[str]) -> bool:
    return len(asked) == len(own) and all(fnmatchcase(o, a) for a, o in zip(asked, own, strict=True))
