"""The databases that services are given, and who else is given the same."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.addresses.given import Given, Runner
from assay.scanner.addresses.written import DATABASES, addresses_in
from assay.scanner.deployment.build import kind_of
from assay.scanner.deployment.images import base_name, is_infrastructure
from assay.scanner.deployment.kubernetes import JOBS
from assay.scanner.deployment.starts import NOTHING
from assay.scanner.deployment.tree import DeploymentTree, relative
from assay.scanner.homes import Homes
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.shared_database import GivenDatabase, OtherUser
from assay.scanner.model.workload import WorkloadKind

_LOCAL = frozenset({"localhost", "127.0.0.1", "0.0.0.0"})  # noqa: S104 - told apart, not listened on
_WHOLE = re.compile(
    r"(\w+_)?(DATABASE|DB|POSTGRES|POSTGRESQL|PG|MYSQL|MONGO|MONGODB|DATASOURCE|SQLALCHEMY_DATABASE)_?(URL|URI|DSN"
    r"|CONNECTION_STRING)",
    re.IGNORECASE,
)
_HOST = re.compile(
    r"(?P<whose>(\w+_)?(DATABASE|DB|POSTGRES|POSTGRESQL|PG|MYSQL|MARIADB|MONGO|SQL))_?(HOST|SERVER)", re.I
)
_DATABASE_NAMES = ("_NAME", "_DB", "_DATABASE", "NAME", "DATABASE", "")
_USER_NAMES = ("_USER", "_USERNAME", "USER")
_HOLDER = re.compile(
    r"(^|[-_./])(db|database|postgres(ql)?|pg|mysql|mariadb|mongo(db)?|datasource|sql)($|[-_./])", re.I
)
_READS = re.compile(r"(^|[-_.])(ro|read(er|s|only)?|replicas?|slave|standby|secondary|followers?)($|[-_.:])", re.I)
_REPORTS = re.compile(
    r"report(s|er|ing)?|analytics?|bi|metabase|superset|dashboards?|grafana|etl|export(er)?|backups?|dump|warehouse"
    r"|pgadmin4?|adminer|pgbouncer|pgpool|pooler|monitoring|metrics|debezium|cdc|airbyte|sync|migrat(e|or|ions?)|seed(er)?"
    r"|init|flyway|liquibase",
    re.IGNORECASE,
)
"""Services that read what others write, and tools that look after a database."""
_PART = re.compile(r"workers?|celery|beat|scheduler|cron|jobs?|queue|consumer|tasks?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Use:
    """One workload that is given a database; `service` is what tells the services apart."""

    identity: tuple[str, ...]
    name: str
    user: str
    given: Given
    runner: Runner
    service: str
    root: str | None


def given_databases(
    tree: DeploymentTree, running: Iterable[Runner], homes: Homes, keeps: Callable[[str], Evidence | None]
) -> Iterator[GivenDatabase]:
    """One for every database of every service. `keeps` shows that a service, by its root, has data of its own."""
    groups: dict[tuple[str, ...], list[_Use]] = {}
    for runner in running:
        for use in _uses(tree, runner, homes):
            groups.setdefault(use.identity, []).append(use)
    for identity, uses in sorted(groups.items()):
        for root in dict.fromkeys(homes.own(use.root) for use in uses):
            mine = [use for use in uses if use.root == root]
            if root is None or not mine:
                continue
            first = min(mine, key=lambda use: (use.given.taken.path, use.given.taken.line))
            others: dict[str, _Use] = {}
            for use in sorted(uses, key=lambda use: (not _is_beside(use, first), use.given.taken)):
                if use.service != first.service:
                    others.setdefault(use.service, use)
            yield GivenDatabase(
                service_root=root,
                identity="/".join(identity),
                name=first.name,
                location=first.given.taken,
                role=tree.role(first.given.taken.path),
                others=tuple(_other(use, first) for use in others.values()),
                keeps=keeps(root),
                only_reads=_reading(first),
            )


def _is_beside(use: _Use, other: _Use) -> bool:
    return posixpath.dirname(use.runner.path) == posixpath.dirname(other.runner.path)


def _uses(tree: DeploymentTree, runner: Runner, homes: Homes) -> Iterator[_Use]:
    service = _service(tree, runner, homes)
    if service is None or tree.role(runner.path) is not Role.PROD:
        return
    root = homes.of_workload(runner.workload)
    for given in runner.given:
        for identity, name, user in _databases(given, runner):
            yield _Use(identity, name, user, given, runner, service, root)


def _service(tree: DeploymentTree, runner: Runner, homes: Homes) -> str | None:
    """What tells services apart: the service of the code, else where the image is built; None for what is no service
    of this tree (databases, tools), and for jobs.
    """
    third_party = runner.image is None and is_infrastructure(runner.reference)
    kind = kind_of(runner.name, NOTHING, runner.image, third_party)
    is_job = runner.pod is not None and runner.pod.kind in JOBS
    if is_job or kind in (WorkloadKind.JOB, WorkloadKind.INFRASTRUCTURE, WorkloadKind.LOAD_GENERATOR):
        return None
    build = runner.service.build if runner.service is not None else None
    if build is not None and relative(runner.path, build.context).startswith(".."):
        return f"folder {relative(runner.path, build.context)}"
    root = homes.of_workload(runner.workload)
    if root is not None:
        return f"service {root}"
    if runner.image is not None:
        return f"folder {posixpath.dirname(runner.image.path)}"
    return f"image {base_name(runner.reference)}" if tree.is_built_here(runner.reference) else None


def _databases(given: Given, runner: Runner) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """What tells the database from others, its name, and the user."""
    if given.value is None:
        speaks = _WHOLE.fullmatch(given.name) or (not given.name and _HOLDER.search(given.entry or ""))
        if speaks and given.entry is not None:
            yield (_place("entry", runner), given.entry), given.entry.partition("/")[2], ""
        return
    for address in addresses_in(given.value):
        if address.scheme in DATABASES and address.is_known and address.host not in _LOCAL:
            place = (
                _where(address.host, runner),
                address.host,
                str(address.asked_port),
                address.database,
                address.schema,
            )
            yield place, address.database or address.host, address.user
    named = _HOST.fullmatch(given.name)
    if named is not None and "://" not in given.value and given.value not in _LOCAL and "$" not in given.value:
        database = _beside(runner, named["whose"], _DATABASE_NAMES)
        host = given.value.partition(":")[0].lower()
        if database and "$" not in database:
            port = runner.value(f"{named['whose']}_PORT") or "5432"
            yield (
                (_where(host, runner), host, port, database, ""),
                database,
                _beside(runner, named["whose"], _USER_NAMES),
            )


def _where(host: str, runner: Runner) -> str:
    """Where the host's name is known: in a compose project, or in a namespace, or everywhere."""
    if runner.service is not None:
        return runner.path
    return "cluster" if "." in host else _place("cluster", runner)


def _place(name: str, runner: Runner) -> str:
    """The name with the namespace that the pod says it is in: names mean something else in each."""
    namespace = runner.pod.namespace if runner.pod is not None else None
    return f"{name} {namespace}" if namespace is not None else name


def _beside(runner: Runner, whose: str, endings: Iterable[str]) -> str:
    return next((v for ending in endings if ending and (v := runner.value(f"{whose}{ending}"))), "")


def _other(use: _Use, first: _Use) -> OtherUser:
    text = f"{use.runner.name} is given the same one"
    return OtherUser(use.runner.name, Evidence(use.given.taken, text), _doubt(use, first))


def _doubt(use: _Use, first: _Use) -> str:
    reading = _reading(use)
    if reading:
        return reading
    words = re.split(r"[-_.]", use.runner.name)
    if any(_PART.fullmatch(word) for word in words):
        return f"{use.runner.name} may be a part of the same service"
    if use.user and first.user and use.user != first.user:
        return f"{use.runner.name} has a user of its own"
    if not _is_handed(use, first):
        return f"{use.runner.name} gets it along with much else"
    return ""


def _reading(use: _Use) -> str:
    """Why it looks like a mere reader."""
    words = re.split(r"[-_.]", use.runner.name)
    if any(_REPORTS.fullmatch(word) for word in words):
        return f"{use.runner.name} may only read"
    said = (use.user, use.name, use.given.name, *use.identity[:2])
    return f"{use.runner.name} may only read" if any(_READS.search(text) for text in said) else ""


def _is_handed(use: _Use, first: _Use) -> bool:
    """Whether it is given just that, and not all variables of a file or of a ConfigMap that everybody gets."""
    if use.runner.service is not None:
        is_for_all = use.given.location == first.given.location and use.root is None
        return use.given.holder == use.runner.service.name and not is_for_all
    if not use.given.holder.startswith(("ConfigMap/", "Secret/")) or use.given.taken == use.given.location:
        return True
    held = [g for g in use.runner.given if g.holder == use.given.holder]
    return len(held) == 1 or _HOLDER.search(use.given.holder) is not None
