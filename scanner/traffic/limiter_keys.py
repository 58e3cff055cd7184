"""By what limiters tell callers apart: the address of the connection, what a header claims, who is signed in.

https://flask-limiter.readthedocs.io, https://slowapi.readthedocs.io, https://github.com/long2ice/fastapi-limiter,
https://django-ratelimit.readthedocs.io/en/stable/keys.html,
https://www.django-rest-framework.org/api-guide/throttling/#how-clients-are-identified
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.numbering import around
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import Trust
from assay.scanner.readers.python import form
from assay.scanner.traffic.address_headers import claim_within, header_trust

_PLACES = {"Limiter": ("key_func", 0), "limit": ("key_func", None), "shared_limit": ("key_func", None),
    "RateLimiter": ("identifier", None), "init": ("identifier", None), "ratelimit": ("key", 0),
    "RateLimitMiddleware": ("authenticate", None)}  # fmt: skip
"""The argument that tells callers apart, by the last name of the call: its keyword, its place."""
_PACKAGES = ("flask_limiter.", "slowapi.", "fastapi_limiter.", "django_ratelimit.", "ratelimit.", "sanic_limiter.")
_OF_PEER = frozenset({"get_remote_address", "default_identifier"})
_OF_HEADER = frozenset({"get_ipaddr"})
"""Functions of libraries that take what `X-Forwarded-For` says first."""
_DJANGO_KEYS = {"ip": Trust.PEER, "user": Trust.PEER, "user_or_ip": Trust.PEER}
_BY_ADDRESS = frozenset({"AnonRateThrottle", "ScopedRateThrottle"})
_THROTTLE_MODULE = "rest_framework.throttling."


@dataclass(frozen=True, slots=True)
class LimiterKey:
    """What one limiter counts by."""

    function: str
    location: Location
    role: Role
    trust: Trust
    evidence: Evidence
    is_of_connection: bool = False
    """Whether it is the address that the server says the connection comes from."""


def limiter_keys(project: Project, production: Production, endpoints: Iterable[Endpoint]) -> Iterator[LimiterKey]:
    """Those that are stated, and those of Django REST framework, which has one for all."""
    for name, (keyword, position) in _PLACES.items():
        for call, scope in project.calls_named(name):
            node = call.argument(position, keyword) if position is not None else call.keyword(keyword)
            if node is None or not (_origin(call, scope, project)).startswith(_PACKAGES):
                continue
            trust, evidence = _of(node, scope, project)
            if trust is not None:
                module = scope.module
                is_of_connection = trust is Trust.PEER and last_name(node) in _OF_PEER
                yield LimiterKey(around(scope), module.location(call), module.role, trust, evidence, is_of_connection)
    yield from _rest_framework(project, production, endpoints)


def _origin(call: form.Call, scope: Scope, project: Project) -> str:
    return project.qualified_name(call.func, scope) or ""


def _of(node: form.Expr, scope: Scope, project: Project) -> tuple[Trust | None, Evidence]:
    module = scope.module
    if isinstance(node, form.Lambda):
        trust = header_trust(node.body)
        return trust or Trust.PEER, module.evidence(node, "callers are told apart by this")
    text = string_value(node, scope, project)
    if text is not None:
        kind, _, header = text.partition(":")
        if kind == "header":
            trust = Trust.CLAIMED if header.lower() == "x-forwarded-for" else Trust.ONE_HEADER
            return trust, module.evidence(node, f"callers are told apart by the header {header}")
        return _DJANGO_KEYS.get(kind), module.evidence(node, f"callers are told apart by {kind}")
    value = project.infer(node, scope)
    function = value.function if isinstance(value, BoundMethod) else value
    if isinstance(function, FunctionSymbol):
        claim = claim_within(function)
        if claim is None:
            return Trust.PEER, module.evidence(node, f"{function.name} takes no header for the address")
        return claim[0], function.module.evidence(claim[1], "callers are told apart by this header")
    if isinstance(value, External):
        last = last_part(value.name)
        if last in _OF_HEADER:
            return Trust.CLAIMED, module.evidence(node, f"{last} takes what X-Forwarded-For says first")
        if last in _OF_PEER:
            return Trust.PEER, module.evidence(node, "callers are told apart by where they connect from")
    return None, module.evidence(node, "callers are told apart by this")


def _rest_framework(project: Project, production: Production, endpoints: Iterable[Endpoint]) -> Iterator[LimiterKey]:
    """Without NUM_PROXIES all of X-Forwarded-For is the key, so that a client has a new one whenever it likes."""
    of_views = next((e.throttles[0].location for e in endpoints if _is_by_address(e, project)), None)
    for site in production.sites:
        stated = production.given(site, "REST_FRAMEWORK")
        nodes = [(node, scope) for value, scope in stated for node in form.walk(value)]
        place = next((scope.module.location(node) for node, scope in nodes if _names_throttle(node)), of_views)
        if place is None:
            continue
        counted = next((n for n in nodes if isinstance(n[0], form.Const) and n[0].value == "NUM_PROXIES"), None)
        counted = counted or _set_later(site.scope)
        if counted is not None:
            shown = counted[1].module.evidence(counted[0], "the proxies in front are counted")
        else:
            shown = Evidence(place, "without NUM_PROXIES all of X-Forwarded-For is the key, which clients write")
        trust = Trust.KNOWN_PROXIES if counted is not None else Trust.CLAIMED
        yield LimiterKey(site.name, place, site.role, trust, shown)


def _is_by_address(endpoint: Endpoint, project: Project) -> bool:
    """Whether an open view's own throttle counts by address: who is signed in is counted by account."""
    if endpoint.auth or endpoint.framework != "Django REST framework" or endpoint.role is not Role.PROD:
        return False
    for name in (limit.partition("(")[0] for limit in endpoint.rate_limits):
        bases = {last_part(b) for cls in project.classes_named(name) for b in project.base_names(cls)}
        if _BY_ADDRESS & {name, *bases}:
            return True
    return False


def _names_throttle(node: form.Node) -> bool:
    if isinstance(node, form.Const) and isinstance(node.value, str):
        return node.value.startswith(_THROTTLE_MODULE) and last_part(node.value) in _BY_ADDRESS
    return False


def _set_later(scope: Scope) -> tuple[form.Expr, Scope] | None:
    """`REST_FRAMEWORK["NUM_PROXIES"] = 1`."""
    for place in scope.module.writes_by_name.get("REST_FRAMEWORK", ()):
        for node in form.walk_body(place.body, into_definitions=False):
            for target in node.targets if isinstance(node, form.Assign) else ():
                key = target.index if isinstance(target, form.Subscript) else None
                if isinstance(key, form.Const) and key.value == "NUM_PROXIES":
                    return target, place
    return None
