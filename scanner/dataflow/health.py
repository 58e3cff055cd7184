"""Health checks: which handlers answer probes, and what each one does to answer."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator

from assay.scanner.dataflow.dependencies import Act, Touch, called_functions, touch, touches, words
from assay.scanner.dataflow.exposure import exposure
from assay.scanner.dataflow.outage import Answer, Outage, outage
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, How
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.health import HealthCheck, HealthPurpose
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_READINESS = words("ready readyz readiness readiness_check readiness_probe is_ready ready_check health_ready")
_LIVENESS = words(
    "live livez liveness liveness_check liveness_probe alive is_alive heartbeat lbheartbeat health_live live_check"
)
_GENERAL = words(
    """health healthz healthcheck healthchecks healthcheckz health_check health_checks health_status health_probe
    healthy ping pingz up status statusz hc ht ruok startup startupz"""
)
_COMMON_WORDS = words("ready live alive heartbeat up status startup ping healthy hc ht")
"""Words that products use too: they count where nothing but plumbing stands before them."""
_PARTS_OF_HEALTH = words(
    """db database sql postgres redis cache broker celery worker workers queue all full deep shallow details detail
    startup check checks app api system dependencies status ready live readiness liveness"""
)
_PLUMBING = re.compile(
    r"v\d+(\.\d+)?|_*(api|rest|internal|private|public|management|manage|actuator|system|sys|admin|ops|monitor|monitoring"
    r"|probes?|probe|health|healthz|healthchecks?|health_check|utils?|util|meta|service|server|app|web|core|common|k8s"
    r"|kubernetes|infra|misc|general|default|root)_*"
)
_PROBE_HANDLERS = words(
    """health healthz healthcheck health_check health_checks get_health get_health_check check_health get_healthcheck
    healthcheck_view readiness readiness_check readiness_probe check_readiness get_readiness liveness liveness_check
    liveness_probe check_liveness get_liveness readyz livez is_alive health_status get_health_status health_probe"""
)
_PARAMETER = re.compile(r"^[<{(:]|\(\?P<|[<{]\w+(:[^}>]*)?[>}]")
_VERBS = words("get head post list retrieve dispatch")
_PROBED = frozenset({"GET", "HEAD", "ANY"})


def is_health_path(path: str, handler_name: str, *, is_open: bool = True) -> HealthPurpose | None:
    """What a route asks about, by the last word of its path or else by its handler's name (`module:qualified.name`).

    A path whose parameters name a resource is about that resource, not about the process; a parameter in front of
    everything (a tenant) is fine. `status` counts only where the route is open.
    """
    segments = [_word(s) for s in _segments(path)]
    if any(s is None for s in segments[1:]) and not _is_tenant_prefix(segments):
        return None
    static = [s for s in segments if s is not None]
    if segments and segments[-1] is None:
        return None
    found = _by_path(static, is_open)
    named = _by_handler(handler_name)
    return named if found in (None, HealthPurpose.GENERAL) and named is not None else found


def _segments(path: str) -> list[str]:
    cleaned = re.sub(r"\\Z|/\?\$?$|[\^$]", "", path)
    return [s for s in cleaned.split("/") if s]


def _word(segment: str) -> str | None:
    """The segment in the lexicon's spelling; None for a parameter."""
    if _PARAMETER.search(segment):
        return None
    plain = segment.replace("\\", "").lower().removesuffix(".json").removesuffix(".html")
    return plain.strip("_.").replace("-", "_").replace(".", "_")


def _is_tenant_prefix(segments: list[str | None]) -> bool:
    """Only plumbing stands before the parameters."""
    last = max(i for i, s in enumerate(segments) if s is None)
    return all(s is None or _PLUMBING.fullmatch(s) for s in segments[:last])


def _by_path(static: list[str], is_open: bool) -> HealthPurpose | None:
    if not static:
        return None
    *before, word = static
    plumbing = all(_PLUMBING.fullmatch(s) for s in before)
    about_health = bool(before) and before[-1] in _GENERAL - _COMMON_WORDS
    if word in _COMMON_WORDS and not plumbing:
        return None
    if word in ("status", "statusz") and not is_open:
        return None
    if word in _READINESS:
        return HealthPurpose.READINESS
    if word in _LIVENESS:
        return HealthPurpose.LIVENESS
    if word in _GENERAL or (about_health and word in _PARTS_OF_HEALTH):
        return HealthPurpose.GENERAL
    return None


def _by_handler(handler_name: str) -> HealthPurpose | None:
    parts = handler_name.rsplit(":", 1)[-1].split(".")
    name = parts[-2] if len(parts) > 1 and parts[-1] in _VERBS else parts[-1]
    snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower().strip("_")
    plain = re.sub(r"_(view|api_view|api|endpoint|handler|resource|route|controller|view_set)$", "", snake)
    if plain not in _PROBE_HANDLERS:
        return None
    if "read" in plain:
        return HealthPurpose.READINESS
    return HealthPurpose.LIVENESS if "liv" in plain else HealthPurpose.GENERAL


def health_checks(
    endpoints: Iterable[tuple[Endpoint, FunctionSymbol | None]], project: Project
) -> tuple[HealthCheck, ...]:
    """The health checks among the endpoints; HEAD is left out where GET is there too."""
    listed = list(endpoints)
    with_get = {e.path for e, _ in listed if e.method == "GET"}
    found = []
    for endpoint, handler in listed:
        if endpoint.method not in _PROBED or (endpoint.method == "HEAD" and endpoint.path in with_get):
            continue
        if is_health_path(endpoint.path, endpoint.handler, is_open=not endpoint.auth) is not None:
            found.append(health_check(endpoint, handler, project))
    return tuple(found)


def health_check(endpoint: Endpoint, handler: FunctionSymbol | None, project: Project) -> HealthCheck:
    """What the handler does to answer. Without a handler (a library's view, a lambda) all of it is unresolved."""
    purpose = is_health_path(endpoint.path, endpoint.handler) or HealthPurpose.GENERAL
    if handler is None:
        unknown = (Evidence(endpoint.location, "no function of the project answers it"),)
        return HealthCheck(endpoint, purpose, unresolved=unknown, has_no_handler=True)
    reached = touches(handler, project)
    outages = [(t, outage(handler, t, project)) for t in reached if t.act is not Act.OPEN]
    exposed = exposure(handler, project)
    unresolved = tuple(_unresolved(handler, project)) + _unclear(outages)
    return HealthCheck(
        endpoint,
        purpose,
        dependencies=_evidence(reached, *Act),
        opened_only=_evidence(reached, Act.OPEN) if all(t.act is Act.OPEN for t in reached) else (),
        waits=tuple(t.evidence for t in reached if t.waits),
        swallowed=() if _some_reported(outages) else _lies(outages),
        tolerated=_lies(outages) if _some_reported(outages) else (),
        leaks=exposed.leaks,
        versions=exposed.versions,
        effects=_evidence([t for t in reached if not t.injected], Act.WRITE, Act.ENQUEUE, Act.READ_ALL),
        trial_writes=_evidence(reached, Act.TRY_WRITE),
        constant=not reached and not unresolved and not _can_refuse(handler, project),
        unresolved=unresolved,
    )


def _evidence(reached: Iterable[Touch], *acts: Act) -> tuple[Evidence, ...]:
    return tuple(dict.fromkeys(t.evidence for t in reached if t.act in acts))


def _lies(outages: list[tuple[Touch, Outage]]) -> tuple[Evidence, ...]:
    found = (o.caught or t.evidence for t, o in outages if o.answer is Answer.LIES)
    return tuple(dict.fromkeys(found))


def _some_reported(outages: list[tuple[Touch, Outage]]) -> bool:
    """The failure of some system is reported, so that passing over another's may be meant."""
    lying = {t.system for t, o in outages if o.answer is Answer.LIES}
    return any(o.answer is Answer.REPORTS and t.system not in lying for t, o in outages)


def _unclear(outages: list[tuple[Touch, Outage]]) -> tuple[Evidence, ...]:
    return tuple(
        Evidence(t.evidence.location, f"what it answers when {t.system} is down can't be told")
        for t, o in outages
        if o.answer is Answer.UNKNOWN
    )


# --- what could not be followed ---------------------------------------------------------------------------------

_STAYS_INSIDE = (sys.stdlib_module_names - words("socket urllib http smtplib sqlite3 ftplib subprocess")) | words(
    """builtins fastapi starlette flask flask_restful quart django rest_framework drf_spectacular drf_yasg aiohttp sanic
    litestar falcon bottle tornado werkzeug pydantic pydantic_settings sqlalchemy sqlmodel structlog loguru
    prometheus_client opentelemetry sentry_sdk orjson ujson msgspec attr attrs anyio pytz dateutil psutil marshmallow
    apifairy flasgger flask_login markupsafe jinja2 typing_extensions decouple environ flask_talisman limits slowapi
    flask_limiter spectree connexion responses redis celery kombu requests httpx pymongo motor dbapi asyncpg"""
)
"""Packages whose calls do not ask anybody else, or whose asking is known call by call."""
_HARMLESS_METHODS = words(
    """get items keys values append extend update setdefault format join split strip lower upper isoformat strftime
    replace startswith endswith encode decode info debug warning error exception critical log bind copy pop add
    total_seconds timestamp json dict model_dump inc observe labels set now utcnow close rollback remove commit flush
    fetchone fetchall scalar first all one one_or_none scalar_one scalar_one_or_none is_set locked done cancelled
    mappings text render status_code header set_cookie dumps release"""
)


def _unresolved(handler: FunctionSymbol, project: Project) -> Iterator[Evidence]:
    """Calls of the handler, and of the project's functions it calls, that may ask somebody."""
    for function in (handler, *called_functions(handler, project)):
        for node in function.walk():
            if isinstance(node, form.Call) and touch(node, function.scope, project) is None:
                name = _unknown_callee(node, function, project)
                if name is not None:
                    yield function.module.evidence(node, f"what {name} asks isn't known")


def _unknown_callee(call: form.Call, function: FunctionSymbol, project: Project) -> str | None:
    value = project.infer(call.func, function.scope)
    if isinstance(value, External):
        known = value.name.split(".", 1)[0] in _STAYS_INSIDE
        return None if known or last_part(value.name) in _HARMLESS_METHODS else value.name
    if isinstance(value, Instance) and value.cls is None:
        return None if value.type_name.split(".", 1)[0] in _STAYS_INSIDE else value.type_name
    if value is not None:
        return None
    name = last_name(call.func)
    if name is None or name in _HARMLESS_METHODS or name[:1].isupper() or _is_loop_over_functions(call, function):
        return None
    return form.dotted(call.func) or name


def _is_loop_over_functions(call: form.Call, function: FunctionSymbol) -> bool:
    """`for check in CHECKS: check()`: what the collection holds was followed where the loop begins."""
    return isinstance(call.func, form.Name) and any(
        b.how is How.FOR for b in function.scope.bindings.get(call.func.id, ())
    )


def _can_refuse(handler: FunctionSymbol, project: Project) -> bool:
    """It raises, or answers with an error status, depending on something."""
    for node in handler.walk():
        if isinstance(node, form.Raise | form.Assert):
            return True
        if isinstance(node, form.Call) and last_name(node.func) == "abort":
            return True
        if isinstance(node, form.Const) and isinstance(node.value, int) and 400 <= node.value < 600:
            return True
        if isinstance(node, form.Attr) and (status_code(node, handler.scope, project) or 0) >= 400:
            return True
    return False
