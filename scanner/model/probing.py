"""What a probe meets: the endpoint that answers its path, or the reason why nothing does."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.health import HealthCheck
from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.model.workload import Probe, WorkloadKind

PARAMETER = re.compile(
    r"\(\?P<\w+>(?P<group>(?:[^()\\]|\\.|\([^()]*\))*)\)|<(?:(?P<converter>\w+)(?:\([^)]*\))?:)?\w+>|\{\w+(?::(?P<kind>[^{}]*))?\}"
)
REDIRECTS_BOTH_WAYS = frozenset({"fastapi", "starlette"})
"""Starlette's router answers `/x/` for `/x` and the other way round with a redirect; Flask and Django only add."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a probe leads. The first of `problem` and `question` that is set decides; `answer` is the good case."""

    problem: Evidence | None = None
    question: Evidence | None = None
    answer: Evidence | None = None


def endpoints_at(endpoints: Iterable[Endpoint], path: str) -> tuple[Endpoint, ...]:
    """The endpoints that answer a concrete path: literal ones first, then those reached by a slash redirect."""
    everything = tuple(endpoints)
    exact = [e for e in everything if _pattern(e.path).fullmatch(path)]
    if exact:
        return tuple(sorted(exact, key=lambda e: PARAMETER.search(e.path) is not None))
    if path.endswith("/"):
        both_ways = (e for e in everything if e.framework.lower() in REDIRECTS_BOTH_WAYS)
        return tuple(e for e in both_ways if _pattern(e.path).fullmatch(path[:-1]))
    return tuple(e for e in everything if _pattern(e.path).fullmatch(path + "/"))


def health_check_at(service: Service, path: str) -> HealthCheck | None:
    """The health check whose handler answers the path."""
    handlers = [endpoint.handler for endpoint in endpoints_at(service.endpoints, path)]
    return next((check for check in service.health_checks if check.endpoint.handler in handlers[:1]), None)


def probe_target(probe: Probe, service: Service) -> Target:
    """Tool, port, path, method and guard, in the order in which a probe meets them."""
    return _unreachable(probe) or _route(probe, service)


def _unreachable(probe: Probe) -> Target | None:
    if probe.tool_in_image is False:
        return Target(problem=Evidence(probe.location, f"{probe.image} has no {probe.tool}"))
    if probe.port_problem is not None:
        return Target(problem=probe.port_problem)
    if probe.port_is_wrong:
        bound = f"{probe.process.server} binds port {probe.process.port}, the probe asks port {probe.port}"
        return Target(problem=Evidence(probe.location, bound))
    return None


def _route(probe: Probe, service: Service) -> Target:
    if probe.path is None:
        return _without_path(probe)
    if not service.endpoints:
        return Target(
            question=Evidence(probe.location, f"no route of the service is known to hold {probe.path} against")
        )
    found = endpoints_at(service.endpoints, probe.path)
    if not found:
        return _no_route(probe, service)
    fitting = [e for e in found if e.method in (probe.method, "ANY") or (probe.method, e.method) == ("HEAD", "GET")]
    if not fitting:
        methods = ", ".join(sorted({e.method for e in found}))
        return Target(
            problem=Evidence(found[0].location, f"{probe.path} takes {methods}, the probe sends {probe.method}")
        )
    endpoint = fitting[0]
    if endpoint.auth and not probe.sends_credentials:
        guarded = Evidence(endpoint.location, f"{endpoint.label} asks for {', '.join(endpoint.auth)}")
        return Target(problem=guarded)
    if endpoint.auth:
        return Target(question=Evidence(endpoint.location, f"{endpoint.label} must accept what the probe sends"))
    if probe.tool is not None and probe.tool_in_image is None:
        return Target(
            question=Evidence(probe.location, f"whether {probe.image or 'the image'} has {probe.tool} isn't known")
        )
    return Target(answer=Evidence(endpoint.location, f"{endpoint.label} answers it"))


def _without_path(probe: Probe) -> Target:
    if probe.tool is not None and probe.tool_in_image is None:
        return Target(
            question=Evidence(probe.location, f"whether {probe.image or 'the image'} has {probe.tool} isn't known")
        )
    if probe.command:
        if probe.tool_in_image:
            return Target(answer=Evidence(probe.location, f"{probe.tool} is in the image"))
        return Target(question=Evidence(probe.location, f"what `{probe.command[0]}` asks isn't known"))
    if probe.port is not None and probe.process.port is not None:
        return Target(answer=Evidence(probe.location, f"the process binds port {probe.port}"))
    return Target(question=Evidence(probe.location, "which port the process binds isn't known"))


def _no_route(probe: Probe, service: Service) -> Target:
    unlisted = (*service.route_gaps, *service.other_probes)
    if unlisted:
        return Target(question=unlisted[0])
    if probe.process.server is None or probe.process.kind is not WorkloadKind.WEB:
        return Target(question=Evidence(probe.location, f"whether what it runs answers {probe.path} isn't known"))
    return Target(problem=Evidence(probe.location, f"no route of {service.name} answers {probe.path}"))


@lru_cache(maxsize=4096)
def _pattern(template: str) -> re.Pattern[str]:
    """A route's template, in whichever framework's syntax, as a pattern for concrete paths."""
    # Django's templates are relative to the root.
    template = "/" + template.removeprefix("^").removeprefix("/")
    parts: list[str] = []
    at = 0
    for match in PARAMETER.finditer(template):
        parts.append(_literal(template[at : match.start()]))
        deep = match["converter"] == "path" or match["kind"] == "path" or (match["group"] or "").startswith(".")
        parts.append(".+" if deep else "[^/]+")
        at = match.end()
    parts.append(_literal(template[at:]))
    return re.compile("".join(parts))


def _literal(text: str) -> str:
    """Literal text of a template; the anchors and escapes of a Django regular expression mean nothing here."""
    optional_slash = text.endswith(("/?$", "/?"))
    for anchor in ("^", "\\Z", "$", "\\"):
        text = text.replace(anchor, "")
    if optional_slash:
        return re.escape(text.removesuffix("/?")) + "/?"
    return re.escape(text)
