"""The services that requests wait for several times, and what keeps one that is down from holding up all of them."""

from __future__ import annotations

import ipaddress
from collections import Counter, deque
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from urllib.parse import urlsplit

from assay.scanner.breakers.protected import Use
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.synchronous_dependency import SynchronousDependency
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.python import form
from assay.scanner.retries.found import Found

_AT_ONCE = ("submit", "map", "gather")
"""What starts several calls before the first one has its answer."""
_INSIDE = (".svc", ".svc.cluster.local", ".internal", ".local", ".cluster.local")
_ONCE_MORE = 2
"""Attempts that nobody has to wait long for."""
_LOCAL = frozenset({"localhost", "testserver"})
_OF_CLIENTS: Mapping[str, tuple[str, ...]] = {
    "urllib3": ("requests", "urllib3"),
    "requests": ("requests",),
    "httpx": ("httpx",),
}
"""By the kind of a policy that a client has: the libraries whose requests may go by it."""
_FARTHEST = 40
"""Functions looked at on the way back to endpoints."""


class Dependencies:
    """Of one tree. `policies` are its retry policies, `uses` what goes through breakers."""

    def __init__(self, gathered: Gathered, policies: Sequence[Found], uses: Sequence[Use]) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._uses = uses
        self._policies = [p for p in policies if p.stop.attempts is None or p.stop.attempts > _ONCE_MORE]
        paths = sorted({request.location.path for request in gathered.requests})
        modules = (self._project.modules[path] for path in paths)
        self._functions = {(m.path, f.id): f for m in modules for f in m.functions}
        self._handlers = {route.handler for route, _ in gathered.endpoints if route.handler is not None}

    def all(self) -> Iterator[SynchronousDependency]:
        """In order of their names."""
        found: dict[str, list[SynchronousDependency]] = {}
        for request in self._gathered.requests:
            if request.role is Role.PROD and request.offline is None:
                for dependency in self._of(request):
                    found.setdefault(dependency.name, []).append(dependency)
        for _, ways in sorted(found.items()):
            yield min(ways, key=lambda d: (d.breaker is not None, d.retried is None, d.location))

    def _of(self, request: OutboundCall) -> Iterator[SynchronousDependency]:
        function = self._functions.get((request.location.path, request.function))
        if function is None:
            return
        breaker = self._breaker(function, request)
        retried, repeated = self._retried(function, request), self._repeated(function, request)
        if breaker is None and retried is None and repeated is None:
            return
        endpoint = self._endpoint_of(function)
        if endpoint is not None:
            host = _host(request.url)
            yield SynchronousDependency(
                host or f"asked in {request.function}",
                request.location,
                request.role,
                endpoint,
                host is not None and _is_internal(host),
                retried,
                repeated,
                breaker,
            )

    def _retried(self, function: FunctionSymbol, request: OutboundCall) -> Evidence | None:
        for policy in self._policies:
            module = policy.scope.module
            if module is not function.module:
                continue
            shown = module.evidence(policy.node, "failures are tried again")
            if policy.kind == "loop":
                span = module.span(policy.node.start, policy.node.end)
                if policy.function is function and span.line <= request.location.line <= span.end_line:
                    return shown
            elif policy.function is function or (
                request.library in _OF_CLIENTS.get(policy.kind, ()) and self._goes_by_session(function, request)
            ):
                return shown
        return None

    def _goes_by_session(self, function: FunctionSymbol, request: OutboundCall) -> bool:
        """Not by a function of the library's module: that one knows no adapters."""
        call = _call_of(request, function)
        owner = call.func.value if call is not None and isinstance(call.func, form.Attr) else None
        client = self._project.infer(owner, function.scope) if owner is not None else None
        if request.library == "httpx" and isinstance(client, Instance) and isinstance(client.origin, form.Call):
            return any(client.origin.keyword(name) is not None for name in ("transport", "mounts"))
        return owner is not None and not isinstance(client, External)

    def _repeated(self, function: FunctionSymbol, request: OutboundCall) -> Evidence | None:
        """In a loop over data, or started together with others."""
        call = _call_of(request, function)
        if call is None:
            return None
        loops = [
            node
            for node in function.nodes
            if isinstance(node, form.For | form.Comprehension) and node.start <= call.start < node.end
        ]
        if loops and not any(p.node is loops[0] for p in self._policies):
            first = loops[0].iter if isinstance(loops[0], form.For) else loops[0]
            return function.module.evidence(first, "it is asked once for each of these")
        for started, scope in self._started(function):
            return scope.module.evidence(started, "it is asked together with others")
        return None

    def _started(self, function: FunctionSymbol) -> Iterator[tuple[form.Call, Scope]]:
        """Where the function is handed to what calls it along with others."""
        for call, scope in self._project.calls_named(*_AT_ONCE):
            if any(self._stands_for(argument.value, scope, function) for argument in call.args):
                yield call, scope

    def _stands_for(self, node: form.Expr, scope: Scope, function: FunctionSymbol) -> bool:
        while isinstance(node, form.Starred | form.Comprehension):
            node = node.value if isinstance(node, form.Starred) else node.element
        named = node.func if isinstance(node, form.Call) else node
        if last_name(named) != function.name:
            return False
        value = self._project.infer(named, scope)
        if value is None and isinstance(named, form.Attr):
            return self._names[function.name] == 1
        return (value.function if isinstance(value, BoundMethod) else value) is function

    @cached_property
    def _names(self) -> Counter[str]:
        return Counter(function.name for function in self._project.functions)

    def _breaker(self, function: FunctionSymbol, request: OutboundCall) -> Evidence | None:
        for use in self._uses:
            span = function.module.span(use.within.start, use.within.stop) if use.within is not None else None
            if use.function is function and (span is None or span.line <= request.location.line <= span.end_line):
                return use.shown
        callers = self._project.callers(function)
        for use in self._uses if callers else ():
            if all(use.holds_call(call, scope) for call, scope in callers):
                return use.shown
        host = _host(request.url)
        for path, facts in sorted(self._gathered.context.files.items()) if host is not None else ():
            for rule in facts.outlier_detections if isinstance(facts, KubernetesFacts) else ():
                if host is not None and _names(rule.host, host):
                    return rule.span.evidence(path, "the mesh takes instances out that fail")
        return None

    def _endpoint_of(self, function: FunctionSymbol) -> Evidence | None:
        """The endpoint on whose way the function runs, if there is one."""
        seen = {function}
        queue = deque([function])
        while queue and len(seen) < _FARTHEST:
            current = queue.popleft()
            if current in self._handlers:
                return Evidence(current.location, "requests come in here")
            calls = [*self._project.callers(current), *self._started(current)]
            for caller in (scope.enclosing_function for _, scope in calls):
                if caller is not None and caller not in seen:
                    seen.add(caller)
                    queue.append(caller)
        return None


def _call_of(request: OutboundCall, function: FunctionSymbol) -> form.Call | None:
    calls = (n for n in function.nodes if isinstance(n, form.Call))
    return next((c for c in calls if function.module.location(c) == request.location), None)


def _host(url: str | None) -> str | None:
    """None where it is computed; a host that is configured stands for itself with the path behind it."""
    if url is None or "://" not in url:
        return None
    host = urlsplit(url).netloc.rpartition("@")[2]
    name = host.partition(":")[0].lower()
    return None if not name or "{" in name or name in _LOCAL else name


def _is_internal(host: str) -> bool:
    """Whether only the platform knows the name."""
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return "." not in host or host.endswith(_INSIDE)


def _names(stated: str, host: str) -> bool:
    """Whether the host of a rule of the mesh is that one: `payments`, `payments.shop.svc.cluster.local`."""
    return stated == host or stated.partition(".")[0] == host.partition(".")[0]
