"""What takes the trace along with requests to other services, for each library that sends them.

https://opentelemetry.io/docs/languages/python/propagation/, https://docs.sentry.io/platforms/python/tracing/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from urllib.parse import urlsplit

from assay.scanner.linker.scopes import Scope
from assay.scanner.model.outbound import OutboundCall
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.telemetry import ClientTracing
from assay.scanner.readers.python import form
from assay.scanner.telemetry import agents, sentry
from assay.scanner.telemetry.code import ServiceCode
from assay.scanner.telemetry.found import shown
from assay.scanner.telemetry.libraries import EVERYTHING, LOGFIRE, REQUESTS

_SERVERS = tuple(name for name in REQUESTS if name.startswith(("opentelemetry.", "litestar.")) or "xray" in name)
"""What takes up the trace that a request comes with."""
_CARRYING: Mapping[str, tuple[str, ...]] = {
    "requests": ("opentelemetry.instrumentation.requests", "opentelemetry.instrumentation.urllib3"),
    "httpx": ("opentelemetry.instrumentation.httpx",),
    "aiohttp": ("opentelemetry.instrumentation.aiohttp_client",),
    "urllib": ("opentelemetry.instrumentation.urllib",),
    "urllib3": ("opentelemetry.instrumentation.urllib3",),
    "http.client": (),
    "httplib2": (),
    "tornado": ("opentelemetry.instrumentation.tornado",),
}
"""What carries it in requests of a library."""
_LOGFIRE: Mapping[str, str] = {
    "requests": "instrument_requests",
    "httpx": "instrument_httpx",
    "aiohttp": "instrument_aiohttp_client",
}
_BY_NAME = ("import_module", "import_string", "load_instrumentor", "entry_points", "iter_entry_points")
_HEADERS = frozenset({"traceparent", "x-b3-traceid", "x-cloud-trace-context", "x-amzn-trace-id"})
_AGENTS = tuple(name for name in EVERYTHING if name != "scout_apm")
"""Scout records calls, and sends no trace along."""
_INSIDE = (".svc", ".local", ".internal")


def client_traces(code: ServiceCode) -> Iterator[ClientTracing]:
    """One for each library by which the service asks others."""
    by_library: dict[str, list[OutboundCall]] = {}
    for request in code.gathered.requests:
        if request.role is Role.PROD and request.offline is None and code.owns(request.location.path):
            by_library.setdefault(request.library, []).append(request)
    if not by_library:
        return
    by_framework = [*code.named(_SERVERS), *_taken_up(code)]
    inbound = shown([*by_framework, *_logfire(code, [n for n, kind in LOGFIRE.items() if kind is None])])
    everything = [*code.named(_AGENTS), *agents.commands(code), *agents.injected(code), *sentry.traced(code)]
    by_hand = list(_by_hand(code))
    doubtful = [*sentry.traced_elsewhere(code), *agents.declared(code)]
    for library, requests in sorted(by_library.items()):
        names = _CARRYING.get(library)
        if names is None:
            continue
        carried = [*code.named(names), *_logfire(code, [_LOGFIRE[library]] if library in _LOGFIRE else [])]
        paths = {request.location.path for request in requests}
        near = [e for e, where in by_hand if not where.isdisjoint(paths)]
        calls = sorted(requests, key=lambda r: (not _may_be_ours(r), r.location))
        yield ClientTracing(
            service_root=code.service.root,
            library=library,
            location=calls[0].location,
            role=Role.PROD,
            calls=shown(call.place for call in calls),
            to_others_only=not any(_may_be_ours(r) for r in requests),
            to_ours=any(_is_ours(r) for r in requests),
            inbound=inbound,
            carried=shown([*carried, *everything, *near]),
            doubtful=shown([*(e for e in doubtful if _is_of(e, library)), *(e for e, _ in by_hand)]),
        )


def _logfire(code: ServiceCode, names: Sequence[str]) -> Iterator[Evidence]:
    for call, scope in code.calls_named(*names):
        yield scope.module.evidence(call, f"calls {names[0] if len(names) == 1 else 'logfire'}")


def _by_hand(code: ServiceCode) -> Iterator[tuple[Evidence, set[str]]]:
    """What puts the trace into headers itself, or finds what does by its name, with the files that it is done for."""
    for call, scope in _of_propagator(code, "inject"):
        callers = code.project.callers(scope.function) if scope.function is not None else []
        where = {scope.module.path, *(s.module.path for _, s in callers)}
        yield scope.module.evidence(call, "puts the trace into headers"), where
    for module in code.modules:
        for node, _ in module.texts:
            if isinstance(node, form.Const) and isinstance(node.value, str) and node.value.lower() in _HEADERS:
                yield module.evidence(node, f"speaks of {node.value}"), {module.path}
    for call, scope in code.calls_named(*_BY_NAME):
        if "opentelemetry" in scope.module.imported_packages:
            yield scope.module.evidence(call, "finds instrumentation by its name"), set()


def _is_of(evidence: Evidence, library: str) -> bool:
    """Whether it isn't there for another library alone."""
    return not evidence.text.startswith("opentelemetry-instrumentation-") or library in evidence.text


def _taken_up(code: ServiceCode) -> Iterator[Evidence]:
    for call, scope in _of_propagator(code, "extract"):
        yield scope.module.evidence(call, "takes the trace up")


def _of_propagator(code: ServiceCode, name: str) -> Iterator[tuple[form.Call, Scope]]:
    for call, scope in code.calls_named(name):
        if (code.project.callee_name(call, scope) or "").startswith("opentelemetry."):
            yield call, scope


def _may_be_ours(request: OutboundCall) -> bool:
    """Whether what it asks may be of the same platform: anything but a public name that is written out."""
    host = _host(request)
    return host is None or _is_inside(host)


def _is_ours(request: OutboundCall) -> bool:
    """Whether it asks a host of the platform, or one that a setting names."""
    host = _host(request)
    return bool(request.read_from) if host is None else _is_inside(host)


def _host(request: OutboundCall) -> str | None:
    """None where it is computed."""
    host = urlsplit(request.url).hostname if request.url is not None and "://" in request.url else None
    return None if not host or "{" in host else host


def _is_inside(host: str) -> bool:
    return "." not in host or host.endswith(_INSIDE) or host.replace(".", "").isdigit()
