"""What names lead to in a compose project: its services, by their names, aliases and containers' names.

https://docs.docker.com/compose/how-tos/networking/
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator, Mapping

from assay.scanner.addresses.answers import Answer
from assay.scanner.addresses.given import Runner
from assay.scanner.addresses.written import Address
from assay.scanner.deployment.images import base_name
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.compose import ComposeFacts, ComposeService

_NOT_FOR_PRODUCTION = re.compile(r"(^|[._-])(dev|develop|development|local|tests?|ci|e2e|debug)($|[._-])")
_LISTENS: Mapping[str, int] = {
    "postgres": 5432, "postgis": 5432, "mysql": 3306, "mariadb": 3306, "redis": 6379, "valkey": 6379, "mongo": 27017,
    "rabbitmq": 5672, "memcached": 11211, "elasticsearch": 9200, "opensearch": 9200,
}  # fmt: skip
"""The port of each of these images, where nothing tells it another one."""
_FURTHER: Mapping[str, frozenset[int]] = {
    "rabbitmq": frozenset({15672, 5671, 61613, 1883, 15692, 25672}),
    "elasticsearch": frozenset({9300}),
    "opensearch": frozenset({9300, 9600}),
}


class ComposeNames:
    """The names of all compose projects of a tree."""

    def __init__(self, tree: DeploymentTree) -> None:
        self._tree = tree

    def answer(self, address: Address, runner: Runner) -> Answer:
        """What answers to the service that is given the address."""
        service, facts = runner.service, self._tree.compose_files[runner.path]
        assert service is not None
        if service.network_mode is not None:
            place = service.span.evidence(runner.path, f"its network is that of {service.network_mode}")
            return Answer(problem="compose gives it no network of the project", doubt=place)
        if address.host in (name.lower() for name in service.known_hosts):
            return Answer(service.span.evidence(runner.path, f"{service.name} is told where {address.host} is"))
        for path, other in self._project(runner.path):
            target = _named(other, address.host)
            if target is not None:
                return self._reached(address, (runner.path, service), (path, target))
        elsewhere = self._elsewhere(address, runner.path)
        if elsewhere is not None and not self._is_apart(elsewhere.location.path, runner.path):
            return Answer(elsewhere, target=address.host)
        return self._missing(address, runner.path, facts, service)

    def _project(self, path: str) -> Iterator[tuple[str, ComposeFacts]]:
        """The file, and those beside it that it is merged with: one of them holds parts of services alone."""
        facts = self._tree.compose_files[path]
        yield path, facts
        for other, its in self._beside(path):
            if "override" in posixpath.basename(other) or _is_fragment(its, facts) or _is_fragment(facts, its):
                yield other, its

    def _beside(self, path: str) -> Iterator[tuple[str, ComposeFacts]]:
        folder = posixpath.dirname(path)
        return (
            (other, its)
            for other, its in self._tree.compose_files.items()
            if other != path and posixpath.dirname(other) == folder
        )

    def _reached(
        self, address: Address, caller: tuple[str, ComposeService], target: tuple[str, ComposeService]
    ) -> Answer:
        path, service = target
        place = service.span.evidence(path, f"{service.name} answers to {address.host}")
        mine, its = set(caller[1].networks or ("default",)), set(service.networks or ("default",))
        if not mine & its and service.network_mode is None and caller[0] == path:
            text = f"{service.name} is in no network that {caller[1].name} is in"
            return Answer(problem=text, lead=(service.span.evidence(path, f"it is in {' and '.join(sorted(its))}"),))
        problem = _closed(address, service)
        return Answer(problem=problem, lead=(place,)) if problem else Answer(place, target=service.name)

    def _missing(self, address: Address, path: str, facts: ComposeFacts, service: ComposeService) -> Answer:
        problem = f"no service of {posixpath.basename(path)} is called {address.host}"
        doubt = self._doubt(path, service) or self._elsewhere(address, path)
        return Answer(problem=problem, lead=tuple(_alike(path, facts, address.host)), doubt=doubt)

    def _elsewhere(self, address: Address, path: str) -> Evidence | None:
        for other, facts in self._beside(path):
            found = _named(facts, address.host)
            if found is not None:
                return found.span.evidence(other, "another file beside it has one, and may be run with it")
        return None

    def _is_apart(self, other: str, path: str) -> bool:
        """A file for development or tests, which nobody runs with one that isn't."""
        return self._is_for_production(path) and not self._is_for_production(other)

    def _is_for_production(self, path: str) -> bool:
        is_named = _NOT_FOR_PRODUCTION.search(posixpath.basename(path)) is not None
        return self._tree.role(path) is Role.PROD and not is_named

    def _doubt(self, path: str, service: ComposeService) -> Evidence | None:
        facts = self._tree.compose_files[path]
        place = service.span
        if facts.includes:
            return place.evidence(path, "the file takes in others")
        outside = set(service.networks or ("default",)) & set(facts.external_networks)
        if outside:
            return place.evidence(path, f"the network {min(outside)} is made elsewhere, and may have it")
        if service.extends is not None and service.image is None and service.build is None:
            return place.evidence(path, "what it extends isn't in the tree")
        if service.image is None and service.build is None:
            return place.evidence(path, "the file is laid over one that isn't known")
        return None


def _closed(address: Address, service: ComposeService) -> str:
    """Why nothing listens on the port, where that is known: it is the host's, or not the image's."""
    port = address.asked_port
    inside = {p.target for p in service.ports} | {int(p) for p in service.expose if p.isdigit()}
    if port is None or port in inside or _speaks_of(port, service):
        return ""
    outside = {p.published: p.target for p in service.ports if p.target is not None}
    if address.port is not None and str(port) in outside:
        return f"{port} is a port of the host; inside, {service.name} listens on {outside[str(port)]}"
    image = base_name(service.image or "").lower()
    own = _LISTENS.get(image)
    if own is not None and port != own and port not in _FURTHER.get(image, ()) and not service.command:
        return f"{service.name} listens on {own}"
    return ""


def _speaks_of(port: int, service: ComposeService) -> bool:
    """Something that it is told names the port; files that it mounts may."""
    words = (*(service.command.words if service.command else ()), *(v for _, v in service.environment))
    said = any(re.search(rf"(?<!\d){port}(?!\d)", word) for word in words)
    return said or any(source.endswith((".conf", ".cnf", ".yml", ".yaml")) for source in service.mounted_sources)


def _named(facts: ComposeFacts, host: str) -> ComposeService | None:
    for service in facts.services:
        if host in {name.lower() for name in (service.name, *service.other_names)}:
            return service
    return None


def _is_fragment(facts: ComposeFacts, base: ComposeFacts) -> bool:
    """A file that only says more about services of another one."""
    return any(
        s.image is None and s.build is None and s.extends is None and base.service(s.name) for s in facts.services
    )


def _alike(path: str, facts: ComposeFacts, host: str) -> Iterator[Evidence]:
    for service in facts.services:
        if is_alike(service.name, host):
            yield service.span.evidence(path, f"there is {service.name}")


def is_alike(name: str, host: str) -> bool:
    """Two names that a person may take for one another: `user-service` and `userservice`, `db` and `shop-db`."""
    one, two = (re.sub(r"[^a-z0-9]", "", each.lower()) for each in (name, host))
    return one == two or _differ_by_one(one, two) or set(re.split(r"[-_.]", name)) >= set(re.split(r"[-_.]", host))


def _differ_by_one(one: str, two: str) -> bool:
    """A letter more, less or other."""
    if min(len(one), len(two)) <= _SHORT or abs(len(one) - len(two)) > 1:
        return False
    shorter, longer = sorted((one, two), key=len)
    at = next((i for i, (a, b) in enumerate(zip(shorter, longer, strict=False)) if a != b), len(shorter))
    return shorter[at + (len(one) == len(two)) :] == longer[at + 1 :]


_SHORT = 3
