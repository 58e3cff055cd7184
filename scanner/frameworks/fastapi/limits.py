"""How often a client may call: SlowAPI's limiters (https://slowapi.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.framework import Guard
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.readers.python import form

_LIMITERS = ("slowapi.Limiter", "slowapi.extension.Limiter")
_LIMITS = frozenset({"limit", "shared_limit"})
_MIDDLEWARES = frozenset({"SlowAPIMiddleware", "SlowAPIASGIMiddleware"})


class SlowApi:
    """The limiters of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._defaults = tuple(self._stated_defaults())

    def _stated_defaults(self) -> Iterator[Guard]:
        """Default limits are the middleware's to apply: without it they limit nothing that has no decorator."""
        for call, scope in self._project.calls_named("Limiter"):
            if self._project.callee_name(call, scope) not in _LIMITERS:
                continue
            for name in ("default_limits", "application_limits"):
                listed = call.keyword(name)
                if listed is not None and list_items(listed, scope, self._project):
                    yield Guard(name, scope.module.evidence(call, f"{name} apply to every route"))

    def of(self, decorators: Iterable[form.Expr], scope: Scope, middlewares: Iterable[str]) -> tuple[Guard, ...]:
        """What limits a handler with these decorators, below these middlewares: its own, else the defaults."""
        own: list[Guard] = []
        for node in decorators:
            method = self._method(node, scope)
            if method == "exempt":
                return ()
            if method in _LIMITS:
                name = form.dotted(node.func if isinstance(node, form.Call) else node) or method
                own.append(Guard(name, scope.module.evidence(node, f"{name} limits how often a client calls")))
        if own:
            return tuple(own)
        return self._defaults if _MIDDLEWARES.intersection(middlewares) else ()

    def _method(self, node: form.Expr, scope: Scope) -> str:
        """`limit` of `@limiter.limit("5/minute")`, and of a name that was given `limiter.shared_limit(...)`."""
        if isinstance(node, form.Name):
            calls = [d for d in definitions(node, scope, self._project) if isinstance(d[0], form.Call)]
            node, scope = calls[-1] if calls else (node, scope)
        func = node.func if isinstance(node, form.Call) else node
        name = self._project.qualified_name(func, scope) or ""
        return last_part(name) if name.rpartition(".")[0] in _LIMITERS else ""
