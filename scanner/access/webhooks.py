"""Endpoints that other systems call with their events, and what makes sure that an event comes from whom it says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from assay.scanner.access.purposes import is_secret_name
from assay.scanner.access.route_names import said_by_handler, static_segments
from assay.scanner.access.webhook_checks import checks_on_the_way, reached
from assay.scanner.access.webhook_names import VENDORS, is_named_webhook, names_vendor
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.access import InboundWebhook, Trust
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_RUNNING = ("os.system", "os.popen", "subprocess.")
_SERVED = (EndpointKind.JSON, EndpointKind.HTML)
_MANAGING = frozenset(
    """create add list update delete remove test toggle enable disable register save edit regenerate rotate resend retry
    trigger subscribe connect install disconnect setup settings configure""".split()
)  # fmt: skip
"""First words of handlers with which the service's own users manage what it sends to others."""
_MACHINES = frozenset("signature webhook webhooks hook hmac secret key basic verify verified".split())
_STEPS = frozenset({"oauth", "oauth2", "login", "authorize", "authorization", "connect", "redirect", "sso", "signin"})


def inbound_webhooks(endpoints: Iterable[tuple[Route, Endpoint]], project: Project) -> Iterator[InboundWebhook]:
    """One for each endpoint that takes events."""
    for route, endpoint in endpoints:
        is_called = endpoint.method in ("POST", "ANY") and endpoint.kind in _SERVED
        is_named = is_named_webhook(route)
        takes_events = is_called and (is_named or names_vendor(route)) and not _is_something_else(route)
        if not takes_events or route.handler is None:
            continue
        trust, evidence = _trust(route, endpoint, project)
        yield InboundWebhook(
            endpoint.subject_id,
            endpoint.location,
            endpoint.role,
            trust,
            is_named,
            evidence,
            (
                *dict.fromkeys(e.evidence for e in endpoint.effects if e.excuse is None and e.doubt is None),
                *_programs_run(route.handler, project),
            ),
            tuple(dict.fromkeys(e.evidence for e in endpoint.effects if e.excuse is None)) + endpoint.unfollowed,
        )


def _programs_run(handler: FunctionSymbol, project: Project) -> Iterator[Evidence]:
    """What a push to a repository sets off: `git pull`, a restart."""
    for function in reached(handler, project):
        for node in function.walk():
            name = project.callee_name(node, function.scope) if isinstance(node, form.Call) else None
            if name is not None and name.startswith(_RUNNING):
                yield function.module.evidence(node, "runs a program")


def _is_something_else(route: Route) -> bool:
    """A step of signing in with another service, or what users call to manage their webhooks."""
    static = {word for segment in static_segments(route.path) for word in segment.split("_")}
    if not static.isdisjoint(_STEPS):
        return True
    names = list(said_by_handler(route.handler_name))
    if any(name.partition("_")[0] in _MANAGING for name in names):
        return True
    return not all(_is_of_machines(guard.name) for guard in route.guards)


def _is_of_machines(guard: str) -> bool:
    """Whether a guard may be there for another system: `check in the handler`, `SignaturePermission`, `BasicAuth`."""
    return guard.startswith("check") or not (_MACHINES | VENDORS).isdisjoint(words(guard))


def _trust(route: Route, endpoint: Endpoint, project: Project) -> tuple[Trust, tuple[Evidence, ...]]:
    if endpoint.auth:
        return Trust.GUARDED, endpoint.guards
    checks = checks_on_the_way(route, project)
    if checks.sure:
        return Trust.VERIFIED, checks.sure
    secret = next((name for name in path_parameters(route.path) if is_secret_name(name)), None)
    if secret is not None:
        return Trust.SECRET_PATH, (Evidence(route.location, f"whoever knows `{secret}` may call it"),)
    doubts = (*checks.perhaps, *endpoint.unresolved_guards)
    return (Trust.UNKNOWN, doubts) if doubts else (Trust.NONE, (Evidence(route.location, "takes events of anybody"),))
