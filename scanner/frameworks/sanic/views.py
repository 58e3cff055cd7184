"""Sanic's views: what a registration is given as a handler, and which methods a class answers
(https://sanic.dev/en/guide/advanced/class-based-views.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import Given, definitions, list_items
from assay.scanner.dataflow.expansion import resolved
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.readers.python import form
from assay.scanner.web.guards import decorator_guards, own_check
from assay.scanner.web.ready_made import ready_made_view

METHODS = ("get", "post", "put", "patch", "delete", "head", "options")
_GUARDS = frozenset(
    """protected scoped login_required jwt_required fresh_jwt_required auth_required role_required permission_required
    authorized inject_user""".split()
)
_GUARD_PACKAGES = ("sanic_jwt", "sanic_auth", "sanic_login", "sanic_httpauth", "sanic_security", "sanic_beskar")
_RATE_LIMITS = ("sanic_limiter.",)


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """What answers a route: a function, or a class's method; `methods` only where the class says them.

    `made` is the call that makes a library's view.
    """

    function: FunctionSymbol | None
    name: str
    cls: ClassSymbol | None = None
    methods: tuple[str, ...] = ()
    guards: tuple[Guard, ...] = ()
    rate_limits: tuple[Guard, ...] = ()
    made: Sited | None = None


class Views:
    """Finds the views behind handlers."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def of_function(self, function: FunctionSymbol, decorators: Sequence[form.Expr]) -> View:
        """`decorators` are those that act: the ones above a route's wrap a function that Sanic doesn't ask for."""
        guards = self._guards(decorators, function.outer) + own_check(function, self._project)
        limits = self._rate_limits(decorators, function.outer)
        return View(function, function.id, guards=tuple(guards), rate_limits=tuple(limits))

    def of_class(self, cls: ClassSymbol) -> list[View]:
        """One for each method of an `HTTPMethodView`."""
        listed = self._project.class_attribute(cls, "decorators")
        around = list_items(*listed, self._project) if listed is not None else []
        guards = [g for node, scope in around for g in self._guards([node], scope)]
        limits = [g for node, scope in around for g in self._rate_limits([node], scope)]
        found = []
        for verb in METHODS:
            method = self._project.method(cls, verb)
            if method is not None:
                own = self.of_function(method, method.decorators)
                all_guards, all_limits = (*guards, *own.guards), (*limits, *own.rate_limits)
                found.append(View(method, f"{cls.id}.{verb}", cls, (verb.upper(),), all_guards, all_limits))
        return found

    def of_expression(self, node: form.Expr, scope: Scope, given: Given, depth: int = 5) -> list[View]:
        """What `add_route` is given: a function, `View.as_view()`, or one of them in a decorator's call; nothing for
        a library's view.
        """
        node, scope = self._spelled_out(node, scope, given)
        if isinstance(node, form.Call) and depth:
            if isinstance(node.func, form.Attr) and node.func.attr == "as_view":
                cls = resolved(node.func.value, scope, self._project, given)
                made = ready_made_view(cls, self._project)
                if made is not None:
                    derived = cls if isinstance(cls, ClassSymbol) else None
                    return [View(None, made.name, derived, made.methods, made=Sited(node, scope))]
                return self.of_class(cls) if isinstance(cls, ClassSymbol) else []
            return self._wrapped(node, scope, given, depth) if node.positional else []
        value = resolved(node, scope, self._project, given)
        function = value.function if isinstance(value, BoundMethod) else value
        if isinstance(function, FunctionSymbol):
            return [self.of_function(function, function.decorators)]
        is_of_library = isinstance(value, External | Instance)
        return [] if is_of_library else [View(None, form.dotted(node) or last_name(node) or "unknown")]

    def _spelled_out(self, node: form.Expr, scope: Scope, given: Given, depth: int = 5) -> tuple[form.Expr, Scope]:
        """The call behind a name, such as `View.as_view()` behind a loop's `view`."""
        bindings = scope.lookup(node.id) if isinstance(node, form.Name) else []
        known = given.get((bindings[0].scope, node.id)) if bindings and isinstance(node, form.Name) else None
        following = [known] if known is not None else definitions(node, scope, self._project)
        return self._spelled_out(*following[-1], given, depth - 1) if following and depth else (node, scope)

    def _wrapped(self, call: form.Call, scope: Scope, given: Given, depth: int) -> list[View]:
        guards, limits = self._guards([call.func], scope), self._rate_limits([call.func], scope)
        return [
            replace(v, guards=(*guards, *v.guards), rate_limits=(*limits, *v.rate_limits))
            for v in self.of_expression(call.positional[0], scope, given, depth - 1)
        ]

    def _guards(self, decorators: Sequence[form.Expr], scope: Scope) -> list[Guard]:
        known = frozenset(name for d in decorators if (name := self._library_guard(d, scope)) is not None)
        return decorator_guards(decorators, scope, self._project, known)

    def _library_guard(self, decorator: form.Expr, scope: Scope) -> str | None:
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        value = self._project.infer(callee, scope)
        if isinstance(value, External) and value.name.startswith(_GUARD_PACKAGES) and last_part(value.name) in _GUARDS:
            return value.name
        return None

    def _rate_limits(self, decorators: Sequence[form.Expr], scope: Scope) -> list[Guard]:
        """`@limiter.limit("5/minute")` of Sanic-Limiter."""
        found = []
        for decorator in decorators:
            callee = decorator.func if isinstance(decorator, form.Call) else decorator
            name = self._project.qualified_name(callee, scope) or ""
            if name.startswith(_RATE_LIMITS) and last_part(name) in ("limit", "shared_limit"):
                shown = form.dotted(callee) or last_part(name)
                found.append(Guard(shown, scope.module.evidence(decorator, f"{shown} limits the rate")))
        return found
