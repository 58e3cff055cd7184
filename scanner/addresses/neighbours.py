"""The addresses of neighbours that workloads are given."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from assay.scanner.addresses.answers import Answer
from assay.scanner.addresses.cluster import ClusterNames
from assay.scanner.addresses.composed import ComposeNames
from assay.scanner.addresses.given import Given, Runner
from assay.scanner.addresses.written import SCHEMES, Address, addresses_in, host_alone
from assay.scanner.deployment.roles import role_of_comment
from assay.scanner.deployment.tree import DeploymentTree
from assay.scanner.homes import Homes
from assay.scanner.model.role import Role
from assay.scanner.model.service_address import ServiceAddress

_SPEAKS_OF_ADDRESS = re.compile(
    r"(^|_)(ADDR|ADDRESS|ADDRESSES|UR[IL]S?|HOSTS?|ENDPOINTS?|SERVERS?|BROKERS?|DSN|BOOTSTRAP|TARGET|UPSTREAM|BACKEND|API"
    r"|SERVICE|SVC)(_|$)",
    re.IGNORECASE,
)
_OF_HOST = re.compile(r"(?P<whose>\w+?)_?(?:HOST|HOSTNAME|SERVER|ADDR|ADDRESS)", re.IGNORECASE)
_OF_DEPENDENCY = re.compile(
    r"DB|DATABASE|SQL|POSTGRES|PG|MYSQL|MARIADB|REDIS|CACHE|MEMCACHE|RABBIT|AMQP|BROKER|QUEUE|KAFKA|MONGO|ELASTIC|SEARCH"
    r"|MAIL|SMTP|MINIO|S3|API|SERVICE|SVC|BACKEND|GRPC|RPC",
    re.IGNORECASE,
)
"""Words that say of a variable that it speaks of another service, and not of the one that it is given to."""
_OWN = re.compile(
    r"(\w+_)?((ALLOWED|VIRTUAL|TRUSTED|EXTERNAL|PUBLIC|KC)_?(HOST|HOSTNAME|HOSTS)|SERVER_NAME|ORIGINS?|DOMAINS?|CORS\w*"
    r"|(SITE|ROOT|PUBLIC|EXTERNAL|CANONICAL|CALLBACK|REDIRECT)_?UR[IL]S?|(HTTPS?|FTP|ALL|NO)_PROXY|(LISTEN|BIND)\w*)",
    re.IGNORECASE,
)
"""Variables that tell a service its own names, those of browsers' pages, or the proxy on the way out."""
_HERE = frozenset(
    {
        "localhost", "host.docker.internal", "host", "hostname", "domain", "null", "none", "true", "false", "default",
        "example", "kubernetes",
    }
)  # fmt: skip
"""The machine itself, the cluster's own API, and what is no name."""


@dataclass(frozen=True, slots=True)
class Told:
    """An address with the variable that gives it, and who is given that."""

    address: Address
    given: Given
    runner: Runner
    answer: Answer


def told(tree: DeploymentTree, running: Iterable[Runner], paths: frozenset[str]) -> Iterator[Told]:
    """Every address of the cluster or the compose project that something that runs is given."""
    composed, cluster = ComposeNames(tree), ClusterNames(tree, paths)
    for runner in running:
        for given in runner.given:
            for address in _addresses(given, runner):
                if not address.is_known or address.host in _HERE or address.host.startswith("kubernetes.default"):
                    continue
                if runner.service is not None:
                    answer = composed.answer(address, runner)
                    is_inside = "." not in address.host or answer.found is not None
                else:
                    is_inside = cluster.is_inside(address.host)
                    answer = cluster.answer(address, runner) if is_inside else Answer()
                if is_inside and (answer.found is not None or _is_meant(given, address, runner)):
                    yield Told(address, given, runner, answer)


def service_addresses(tree: DeploymentTree, found: Iterable[Told], homes: Homes) -> Iterator[ServiceAddress]:
    """One for every place that gives an address. Of several that are given it, the one that reaches something counts:
    a file may serve more set-ups than one.
    """
    groups: dict[tuple[str, int, str, str], list[Told]] = {}
    for each in found:
        place = each.given.location
        groups.setdefault((place.path, place.line, each.given.name, each.address.text), []).append(each)
    for group in groups.values():
        first = min(group, key=lambda t: (t.answer.found is None, t.answer.doubt is None))
        path = first.given.location.path
        roots = [homes.of_workload(t.runner.workload) for t in group]
        root = homes.own(min((r for r in roots if r is not None), default=homes.around(path)))
        if root is not None:
            yield ServiceAddress(
                service_root=root,
                path=path,
                holder=first.given.holder,
                variable=first.given.name,
                location=first.given.location,
                role=_role(tree, first),
                address=first.address.text,
                given_to=tuple(dict.fromkeys(t.runner.name for t in group)),
                found=first.answer.found,
                problem=first.answer.problem,
                lead=first.answer.lead,
                doubt=first.answer.doubt,
            )


def _addresses(given: Given, runner: Runner) -> Iterator[Address]:
    if given.value is None or _OWN.fullmatch(given.name):
        return
    found = list(addresses_in(given.value))
    yield from found
    host = host_alone(given.value) if not found and _OF_HOST.fullmatch(given.name) else None
    if host is not None:
        port = _port_beside(given.name, runner)
        yield replace(host, port=int(port)) if port.isdigit() else host


def _port_beside(name: str, runner: Runner) -> str:
    """`DB_PORT` of `DB_HOST`."""
    read = _OF_HOST.fullmatch(name)
    whose = read["whose"] if read is not None else ""
    return runner.value(f"{whose}_PORT") or runner.value(f"{whose}PORT") or ""


def _is_meant(given: Given, address: Address, runner: Runner) -> bool:
    """Whether a value that leads nowhere is an address at all: by its scheme, or by the name of its variable."""
    if address.scheme:
        return address.scheme in SCHEMES
    if ":" in (given.value or ""):
        return _SPEAKS_OF_ADDRESS.search(given.name) is not None
    return bool(_port_beside(given.name, runner)) and _OF_DEPENDENCY.search(given.name) is not None


def _role(tree: DeploymentTree, told: Told) -> Role:
    facts = tree.manifests.get(told.runner.path) or tree.compose_files.get(told.runner.path)
    said = role_of_comment(facts.comment) if facts is not None else None
    place = told.given.location.path
    # A file of variables that is called an example is one that the deployment takes, all the same.
    own = Role.PROD if place in tree.env_files else tree.role(place)
    return next((role for role in (said, own, tree.role(told.runner.path)) if role not in (None, Role.PROD)), Role.PROD)
