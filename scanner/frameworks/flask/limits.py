"""Flask-Limiter: how often a client may call (https://flask-limiter.readthedocs.io)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form

_LIMITERS = frozenset({"flask_limiter.Limiter", "flask_limiter.extension.Limiter", "quart_rate_limiter.RateLimiter"})
_LIMITS = ("limit", "shared_limit")
_FUNCTIONS = frozenset({"quart_rate_limiter.rate_limit", "quart_rate_limiter.limit_blueprint"})
_EXEMPT = frozenset({"quart_rate_limiter.rate_exempt"})
_DEFAULTS = "default_limits"
_ALWAYS = "application_limits"


@dataclass(frozen=True, slots=True)
class Throttling:
    """The limits that decorators set, and whether they lift all others."""

    limits: tuple[Guard, ...] = ()
    is_exempt: bool = False


NO_THROTTLING = Throttling()


class RateLimits:
    """The limiters of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._defaults = tuple(self._stated(_DEFAULTS))
        self._always = tuple(self._stated(_ALWAYS))

    def _stated(self, keyword: str) -> Iterator[Guard]:
        for call, scope in self._project.calls_named("Limiter", "RateLimiter"):
            if (self._project.qualified_name(call.func, scope) or "") in _LIMITERS:
                listed = call.keyword(keyword)
                if listed is not None and list_items(listed, scope, self._project):
                    yield Guard(keyword, scope.module.evidence(call, f"{keyword} apply to every route"))

    def of_decorators(self, levels: Iterable[tuple[Sequence[form.Expr], Scope]]) -> Throttling:
        """What the decorators of each level say."""
        limits: list[Guard] = []
        is_exempt = False
        for decorators, scope in levels:
            for node in decorators:
                made = self._made_of(node, scope)
                if self._is(made.node.func if isinstance(made.node, form.Call) else made.node, made.scope, "exempt"):
                    is_exempt = True
                elif isinstance(made.node, form.Call) and self._is(made.node.func, made.scope, *_LIMITS):
                    name = form.dotted(node.func if isinstance(node, form.Call) else node) or "limit"
                    limits.append(Guard(name, scope.module.evidence(node, f"{name} limits how often a client calls")))
        return Throttling(tuple(limits), is_exempt)

    def applying(self, own: Throttling, inherited: tuple[Guard, ...] = ()) -> tuple[Guard, ...]:
        """All that apply to a route: its own, else those of its blueprint, else the defaults."""
        if own.is_exempt:
            return ()
        return (*self._always, *(own.limits or inherited or self._defaults))

    def applied(self) -> Iterator[tuple[Sited, Guard]]:
        """`limiter.limit("1/second")(blueprint)`: the expression that is limited, and by what."""
        limiting = {
            call: scope for call, scope in self._project.calls_named(*_LIMITS) if self._is(call.func, scope, *_LIMITS)
        }
        if not limiting:
            return
        for call, scope in self._project.calls:
            if isinstance(call.func, form.Call) and call.func in limiting and call.positional:
                name = form.dotted(call.func.func) or "limit"
                guard = Guard(name, scope.module.evidence(call, f"{name} limits how often a client calls"))
                yield Sited(call.positional[0], scope), guard

    def _made_of(self, node: form.Expr, scope: Scope) -> Sited:
        """`limiter.shared_limit(...)` behind the name that it was given."""
        found = definitions(node, scope, self._project) if isinstance(node, form.Name | form.Attr) else []
        calls = [d for d in found if isinstance(d[0], form.Call)]
        return Sited(*calls[-1]) if calls else Sited(node, scope)

    def _is(self, func: form.Expr, scope: Scope, *methods: str) -> bool:
        name = self._project.qualified_name(func, scope) or ""
        if name in (_EXEMPT if methods == ("exempt",) else _FUNCTIONS):
            return True
        if not isinstance(func, form.Attr) or last_name(func) not in methods:
            return False
        limiter = self._project.infer(func.value, scope)
        if not isinstance(limiter, Instance):
            return False
        known = limiter.cls is not None and self._project.is_subclass(limiter.cls, *_LIMITERS)
        return known or limiter.type_name in _LIMITERS
