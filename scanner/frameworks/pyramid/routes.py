"""Pyramid: the routes that configurators are given, with the views that are declared for them
(https://docs.pylonsproject.org/projects/pyramid/en/latest/narr/urldispatch.html).
"""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.dataflow.constants import Given, one_or_many, string_value
from assay.scanner.dataflow.expansion import expansions
from assay.scanner.framework import Context, Framework, Guard, Route, Sited
from assay.scanner.frameworks.pyramid.configuration import CONFIGURATORS, Configuration, joined
from assay.scanner.frameworks.pyramid.guards import permission_guard
from assay.scanner.frameworks.pyramid.views import View, Views, answers_exceptions, kind_of, methods_of
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Value
from assay.scanner.readers.python import form
from assay.scanner.web.guards import decorator_guards, own_check


@dataclass(frozen=True, slots=True, eq=False)
class _Pattern:
    """A named route: the path that it matches, the methods that it is limited to, and what makes its context."""

    path: str
    methods: tuple[str, ...]
    factory: Value | None
    site: Sited


class _Routes:
    """The routes of one project."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._project = context.project
        self._configuration = Configuration(context)
        self._patterns: dict[str, list[_Pattern]] = {}
        self._answered = set[str]()

    def all(self) -> Iterator[Route]:
        for call, scope in self._project.calls_named("add_route"):
            for given in expansions(call, scope, self._project):
                self._add_pattern(call, scope, given)
        for view in Views(self._context, self._configuration).all():
            if not answers_exceptions(view, self._project):
                yield from self._routes_of(view)
        for name, patterns in self._patterns.items():
            if name not in self._answered:
                for pattern in patterns:
                    self._context.unresolved(
                        pattern.site.module.location(pattern.site.node), f"no view of the route {name} can be seen"
                    )

    def _add_pattern(self, call: form.Call, scope: Scope, given: Given) -> None:
        name, pattern = call.argument(0, "name"), call.argument(1, "pattern") or call.keyword("path")
        prefixes = list(dict.fromkeys(self._configuration.prefixes(call, scope, given)))
        if not prefixes or name is None or pattern is None or self._is_static(call):
            return
        known = string_value(name, scope, self._project, given)
        text = string_value(pattern, scope, self._project, given)
        if known is None or text is None:
            self._context.unresolved(scope.module.location(call), "this route's name or pattern can't be told")
            return
        limited = call.keyword("request_method")
        items = one_or_many(limited, scope, self._project, given) if limited is not None else []
        methods = [string_value(*item, self._project, given) for item in items]
        factory = call.keyword("factory")
        context = self._configuration.named(factory, scope, given) if factory is not None else self._root_factory
        added = self._patterns.setdefault(known, [])
        for prefix in prefixes:
            path = joined(prefix, text or ("" if call.keyword("inherit_slash") is not None else "/"))
            if all(p.path != path for p in added):
                found = tuple(method for method in methods if method is not None)
                added.append(_Pattern(path, found, context, Sited(call, scope)))

    def _is_static(self, call: form.Call) -> bool:
        """It only serves to make links."""
        static = call.keyword("static")
        return isinstance(static, form.Const) and static.value is True

    @cached_property
    def _root_factory(self) -> Value | None:
        for call, scope in self._project.calls_named("Configurator", "set_root_factory"):
            factory = call.keyword("root_factory") or call.keyword("factory")
            if last_name(call.func) == "set_root_factory":
                factory = factory or call.argument(0, "factory")
            if factory is not None:
                return self._configuration.named(factory, scope, {})
        return None

    @cached_property
    def _default_permission(self) -> Sited | None:
        for call, scope in self._project.calls_named("Configurator", "set_default_permission"):
            permission = call.keyword("default_permission") or call.keyword("permission")
            if last_name(call.func) == "set_default_permission":
                permission = permission or call.argument(0, "permission")
            if permission is not None:
                return Sited(permission, scope)
        return None

    def _routes_of(self, view: View) -> Iterator[Route]:
        """The routes that lead to the view: one for each path that its route's name stands for."""
        stated = view.stated("route_name")
        name = string_value(stated.node, stated.scope, self._project) if stated is not None else None
        if name is None:
            told = "its route's name" if stated is not None else "which paths traversal finds this view by"
            self._context.unresolved(view.location, f"{told} can't be told")
            return
        self._answered.add(name)
        patterns = _nearest(self._patterns.get(name, []), view)
        if not patterns:
            self._context.unresolved(view.location, f"no route named {name} can be seen")
        for pattern in patterns:
            for method in self._methods(view, pattern):
                yield self._route(view, pattern, method)

    def _methods(self, view: View, pattern: _Pattern) -> list[str]:
        """What both the view and its route take."""
        own = methods_of(view, self._project)
        if None in own:
            self._context.unresolved(view.location, "the methods of this view can't be told")
        known = [method for method in own if method is not None]
        if not known:
            return list(pattern.methods) or ["ANY"]
        return [method for method in known if not pattern.methods or method in pattern.methods]

    def _route(self, view: View, pattern: _Pattern, method: str) -> Route:
        function = view.function
        return Route(
            methods=(method.upper(),),
            path=pattern.path,
            handler=function,
            handler_name=view.name,
            location=function.location if function is not None else view.location,
            framework="pyramid",
            role=view.scope.module.role,
            kind=kind_of(view, self._project),
            guards=tuple(self._guards(view, pattern)),
            view_class=view.cls,
        )

    def _guards(self, view: View, pattern: _Pattern) -> Iterator[Guard]:
        """The permission, what `decorator` names, the decorators of the function, and the check it makes itself."""
        permission = permission_guard(
            view.stated("permission") or self._default_permission, pattern.factory, self._project
        )
        if permission is not None:
            yield permission
        known = view.stated("is_authenticated")
        if known is not None and isinstance(known.node, form.Const) and known.node.value is True:
            yield Guard("is_authenticated", known.module.evidence(known.node, "strangers don't find this view"))
        wrappers = view.stated("decorator")
        for node, scope in one_or_many(wrappers.node, wrappers.scope, self._project) if wrappers is not None else ():
            yield from decorator_guards([node], scope, self._project)
        if view.function is not None:
            yield from decorator_guards(view.function.decorators, view.function.outer, self._project)
            yield from own_check(view.function, self._project)


def _nearest(patterns: list[_Pattern], view: View) -> list[_Pattern]:
    """Of the routes of one name in several applications, those of the application that the view belongs to."""
    folders = {p: posixpath.commonpath(["/" + p.site.module.path, "/" + view.scope.module.path]) for p in patterns}
    deepest = max((len(folder) for folder in folders.values()), default=0)
    return [p for p in patterns if len(folders[p]) == deepest]


def _routes(context: Context) -> Iterable[Route]:
    return _Routes(context).all()


PYRAMID = Framework("Pyramid", ("pyramid",), routes=_routes, applications=CONFIGURATORS)
