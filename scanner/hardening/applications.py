"""The web applications of a tree: the calls that make them, and the settings that Django runs a site with."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.framework import Framework, Sited, frameworks
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import Module
from assay.scanner.linker.values import External
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.services import ServiceRoot

DJANGO = "Django"
_SETTINGS = "Django settings"
_NO_WEB = frozenset({"Celery", "gRPC", "grpclib", "Strawberry", "Ariadne"})
_COUNTED = frozenset({EndpointKind.JSON, EndpointKind.HTML, EndpointKind.FILE, EndpointKind.GRAPHQL})


@dataclass(frozen=True, slots=True)
class Application:
    """All applications that one service makes of one framework: middleware around one of them is that of the service.

    `made` are the calls, those with the most routes first, `site` the module of Django's settings.
    """

    service: ServiceRoot
    framework: str
    location: Location
    made: tuple[Sited, ...]
    site: Module | None
    endpoints: tuple[Endpoint, ...]

    @property
    def name(self) -> str:
        return f"{self.framework} application in {self.service.name}"

    @property
    def serves_pages(self) -> bool:
        return any(e.kind is EndpointKind.HTML for e in self.endpoints)


def applications(gathered: Gathered) -> tuple[Application, ...]:
    """Those of production code whose endpoints are known."""
    made = {f.name: tuple(_made(f.applications, gathered)) for f in _used(gathered)}
    endpoints = [e for _, e in gathered.endpoints if e.role is Role.PROD and e.kind in _COUNTED]
    return tuple(a for service in gathered.services for a in _of(service, gathered, endpoints, made))


def _used(gathered: Gathered) -> Iterator[Framework]:
    """The web frameworks that something imports."""
    imported = gathered.project.imported_packages
    for framework in frameworks():
        if framework.applications and framework.name not in _NO_WEB and not imported.isdisjoint(framework.packages):
            yield framework


def _of(
    service: ServiceRoot, gathered: Gathered, endpoints: list[Endpoint], made: Mapping[str, tuple[Sited, ...]]
) -> Iterator[Application]:
    own = tuple(e for e in endpoints if gathered.owners.of(e.location.path) is service)
    if not own:
        return
    routes = Counter(r.application.node for r, _ in gathered.endpoints if r.application is not None)
    for framework, calls in made.items():
        if framework == DJANGO:
            site = next((s for s in gathered.production.sites if gathered.owners.of(s.path) is service), None)
            if site is not None:
                place = gathered.production.place_of("MIDDLEWARE", _SETTINGS, site.path)
                yield Application(service, DJANGO, place or Location.whole_file(site.path), (), site, own)
            continue
        mine = [m for m in calls if gathered.owners.of(m.module.path) is service]
        if mine:
            mine.sort(key=lambda m: -routes[m.node])
            place = mine[0].module.location(mine[0].node)
            yield Application(service, framework, place, tuple(mine), None, own)


def _made(names: frozenset[str], gathered: Gathered) -> Iterator[Sited]:
    """Calls in production code that make an application, or an object of a class that derives from one."""
    project = gathered.project
    own = [cls for cls in project.classes if project.is_subclass(cls, *names)]
    for call, scope in project.calls_named(*sorted({last_part(name) for name in names} | {cls.name for cls in own})):
        made = project.infer(call.func, scope) if scope.module.role is Role.PROD else None
        if made in own or (isinstance(made, External) and made.name in names):
            yield Sited(call, scope)
