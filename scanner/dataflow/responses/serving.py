"""Serving code: the functions whose values, errors and texts clients get to see."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.responses.statuses import DEFAULT, RESPONSES, error_handlers, library_errors
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Calls between a handler and the function that makes its answer."""
_REPORTING = frozenset(
    """test tests check checks validate validation verify ping health healthcheck probe diagnose diagnostics preview
    dry dryrun lint try status readiness liveness ready alive debug available availability exists exist valid""".split()
)
"""Words of endpoints whose very answer is how something turned out."""
_COUNTING = frozenset("track tracking telemetry analytics beacon heartbeat impression impressions pageview".split())
_LISTS = frozenset({"fastapi", "starlette"})
_HOOKS = ("before_request", "before_app_request", "middleware", "on_request")
_NOTIFIED = frozenset("webhook webhooks hook hooks callback callbacks ipn".split())
"""Words of endpoints that another system calls with news: it tries again until it hears a 2xx."""


@dataclass(slots=True, eq=False)
class Served:
    """A function that answers requests, with the endpoints that lead to it. `is_handler` is set for their own handlers,
    unset for what these call and answer with.
    """

    function: FunctionSymbol
    endpoints: list[tuple[Route, Endpoint]] = field(default_factory=list)
    is_handler: bool = False

    @property
    def role(self) -> Role:
        return self.function.module.role

    @property
    def is_json(self) -> bool:
        """Whether every way to it is an endpoint of a JSON API."""
        return all(endpoint.kind is EndpointKind.JSON for _, endpoint in self.endpoints)

    @property
    def default_status(self) -> int:
        """What the framework answers with where the function says nothing."""
        declared = {e.status_codes[0] for _, e in self.endpoints if e.status_codes and e.status_codes[0] < 400}
        return declared.pop() if len(declared) == 1 else DEFAULT

    @property
    def writes_tuples_as_lists(self) -> bool:
        """Whether the framework takes `return body, 400` for a list of two, with the status of a success."""
        return bool(self.endpoints) and all(route.framework in _LISTS for route, _ in self.endpoints)

    @property
    def counts_visits(self) -> bool:
        """Whether it takes figures about what visitors do, which nobody misses."""
        last = {word for _, endpoint in self.endpoints for word in words(_last_part(endpoint.path))}
        return not _COUNTING.isdisjoint(last)

    @property
    def why_success_may_tell_of_failure(self) -> str | None:
        """A reason for an answer that counts as success and says that something failed."""
        spoken = set(words(self.function.name))
        for _, endpoint in self.endpoints:
            spoken |= {word for part in endpoint.path.split("/") if "{" not in part for word in words(part)}
        if spoken & _NOTIFIED or _is_notified(self.function):
            return "another system delivers news here, and would deliver it again after an error status"
        own = set(words(self.function.name)) | {w for _, e in self.endpoints for w in words(_last_part(e.path))}
        return "the outcome of a check is what it is asked for" if own & _REPORTING else None


def _is_notified(function: FunctionSymbol) -> bool:
    """Whether it checks the signature of news: `stripe.Webhook.construct_event(...)`, `X-Hub-Signature`."""
    for node in function.nodes:
        match node:
            case form.Call(func=func):
                if last_name(func) == "construct_event" or "webhook" in (form.dotted(func) or "").lower():
                    return True
            case form.Const(value=str() as text) if "-signature" in text.lower():
                return True
    return False


def _last_part(path: str) -> str:
    """The last part of a path that is no parameter."""
    parts = [p for p in path.split("/") if p and not p.startswith(("{", "<", ":"))]
    return parts[-1] if parts else ""


class Serving:
    """The serving code of all services."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project

    @cached_property
    def handlers(self) -> dict[FunctionSymbol, Served]:
        """The endpoints' own handlers, in the order of the route tables; probes are judged elsewhere."""
        found: dict[FunctionSymbol, Served] = {}
        for route, endpoint in self._gathered.endpoints:
            if route.handler is None or endpoint.kind in (EndpointKind.HEALTH, EndpointKind.WEBSOCKET):
                continue
            served = found.setdefault(route.handler, Served(route.handler, is_handler=True))
            served.endpoints.append((route, endpoint))
        return found

    @cached_property
    def answering(self) -> dict[FunctionSymbol, Served]:
        """The handlers, and the project's functions with whose value they answer."""
        found = dict(self.handlers)
        ring = list(found.values())
        for _ in range(_DEEPEST):
            further: list[Served] = []
            for served in ring:
                for function in self._answered_with(served.function):
                    known = found.get(function)
                    if known is None:
                        known = found[function] = Served(function)
                        further.append(known)
                    if not known.is_handler:
                        known.endpoints.extend(e for e in served.endpoints if e not in known.endpoints)
            ring = further
        return found

    def _answered_with(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        for returned in function.returns:
            value = returned.value
            while isinstance(value, form.Await):
                value = value.value
            if isinstance(value, form.Call):
                callee = self._project.callee_function(value, function.scope)
                if callee is not None and callee.name != "__init__":
                    yield callee

    @cached_property
    def error_handlers(self) -> dict[FunctionSymbol, list[object]]:
        """Functions that answer for exceptions which nobody caught, with what they are registered for."""
        found: dict[FunctionSymbol, list[object]] = {}
        for kind, function in error_handlers(self._project):
            found.setdefault(function, []).append(kind)
        return found

    @cached_property
    def wrappers(self) -> dict[FunctionSymbol, list[Endpoint]]:
        """What the project's decorators put around handlers, each with the endpoints behind it."""
        found: dict[FunctionSymbol, list[Endpoint]] = {}
        for handler, served in self.handlers.items():
            endpoints = [endpoint for _, endpoint in served.endpoints]
            decorators = [(d, handler.outer) for d in handler.decorators]
            if handler.owner is not None:
                decorators += [(d, handler.owner.outer) for d in handler.owner.node.decorators]
            for decorator, scope in decorators:
                for wrapper in self._wrappers_of(decorator, scope):
                    found.setdefault(wrapper, []).extend(endpoints)
        return found

    @property
    def answering_clients(self) -> Iterator[Served]:
        """The handlers, what the project's decorators put around those of JSON APIs, and what answers for errors."""
        yield from self.handlers.values()
        for wrapper, endpoints in self.wrappers.items():
            if wrapper not in self.handlers and all(e.kind is EndpointKind.JSON for e in endpoints):
                yield Served(wrapper)
        yield from (Served(function) for function in self.error_handlers if function not in self.handlers)

    def _wrappers_of(self, decorator: form.Expr, scope: Scope) -> Iterator[FunctionSymbol]:
        made = self._project.infer(decorator.func if isinstance(decorator, form.Call) else decorator, scope)
        if isinstance(made, FunctionSymbol):
            prefix = f"{made.qualname}."
            yield from (f for f in made.module.functions if f.qualname.startswith(prefix))

    @cached_property
    def speaking(self) -> dict[FunctionSymbol, None]:
        """Every function that may have a word with clients: handlers, what they answer with, what stands around them,
        hooks, error handlers, and whatever makes errors or responses.
        """
        found = dict.fromkeys([*self.answering, *self.wrappers, *self.error_handlers])
        project = self._project
        for call, scope in project.calls_named(*RESPONSES, *library_errors(project), *_HOOKS):
            if scope.enclosing_function is not None:
                found[scope.enclosing_function] = None
            for function in scope.module.functions if last_name(call.func) in _HOOKS else ():
                if call in function.decorators:
                    found[function] = None
        for function in [*project.functions_taking("exc"), *project.functions_taking("exception")]:
            found[function] = None
        return found
