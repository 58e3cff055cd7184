"""The databases that the repository deploys, and what takes and brings back their backups."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.gathered import Gathered
from assay.scanner.model.data_store import DataStore
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.audits import AuditFacts
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts, PodWorkload
from assay.scanner.readers.shell import ShellFacts
from assay.scanner.readers.span import Span
from assay.scanner.readers.workflows.facts import Trigger
from assay.scanner.schema.databases import named
from assay.scanner.services import ServiceRoot

_TAKES = re.compile(
    r"\bpg_dump(?:all)?\b|\bpg_basebackup\b|\bmysqldump\b|\bmariadb-dump\b|\bwal-g\b|\bpgbackrest\b|\bbarman\b|\bxtrabackup\b"
    r"|\bmongodump\b|\bvelero\b|\brestic\b|(?:^|[-_/])backups?(?:$|[-_./:])",
    re.IGNORECASE,
)
_RESTORES = re.compile(r"\bpg_restore\b|\bmongorestore\b|(?:^|[-_/ ])restor(?:e|ing)", re.IGNORECASE)
_IN_SCRIPT = re.compile(r"backup|pg_dump|mysqldump|pg_basebackup", re.IGNORECASE)
_WHOLE = Span(1, 1, 1, 1)
_FOR_PRODUCTION = re.compile(r"(^|[/._-])(prod(uction)?|deploy(ment|ments)?|live)([/._-]|$)", re.IGNORECASE)
_NOT_FOR_PRODUCTION = re.compile(
    r"(^|[/._-])(dev(elopment)?|local|test(s|ing)?|ci|demo|examples?)([/._-]|$)", re.IGNORECASE
)
_CALLED_DATABASE = re.compile(r"(^|[-_])(db|database|postgres(ql)?|mysql|mariadb)([-_]?\d)?$", re.IGNORECASE)
_CONFIGURES = frozenset(
    {"POSTGRES_DB", "POSTGRES_PASSWORD", "MYSQL_DATABASE", "MYSQL_ROOT_PASSWORD", "MARIADB_DATABASE"}
)


@dataclass(frozen=True, slots=True)
class _Keeping:
    """What of the tree takes backups by a schedule, by hand, and what restores."""

    scheduled: tuple[Evidence, ...]
    by_hand: tuple[Evidence, ...]
    restores: tuple[Evidence, ...]


def data_stores(root: ServiceRoot, gathered: Gathered) -> Iterator[DataStore]:
    """Those whose files are the service's, or nobody's."""
    keeping = _keeping(gathered)
    for name, path, span, stated in _databases(gathered):
        role = gathered.roles.get(path, Role.PROD)
        owner = gathered.owners.of(path)
        if (owner or gathered.owners.first) is not root:
            continue
        if role is Role.PROD and _NOT_FOR_PRODUCTION.search(path):
            role = Role.DEV
        place = span.evidence(path, "the database that is deployed")
        location = place.location if owner is root else root.location
        is_stated = stated or _FOR_PRODUCTION.search(path) is not None
        yield DataStore(name, location, role, place, is_stated, keeping.scheduled, keeping.by_hand, keeping.restores)


def _databases(gathered: Gathered) -> Iterator[tuple[str, str, Span, bool]]:
    """Name, file and place, and whether the kind of file already says that it is for production."""
    for path, facts in sorted(gathered.context.files.items()):
        if isinstance(facts, ComposeFacts):
            for service in facts.services:
                if service.image is not None and not service.profiles and _is_database(service.image):
                    yield service.name, path, service.span, False
        elif isinstance(facts, KubernetesFacts):
            for workload in facts.workloads:
                if workload.kind in ("StatefulSet", "Deployment") and _holds_database(workload):
                    yield workload.name, path, workload.span, True


def _is_database(image: str) -> bool:
    name = image.rsplit("/", 1)[-1].split(":", 1)[0].split("@", 1)[0]
    return named(name) is not None and _TAKES.search(name) is None and "exporter" not in name and "admin" not in name


def _holds_database(workload: PodWorkload) -> bool:
    for container in workload.containers:
        if container.image is not None and _is_database(container.image):
            return True
        if workload.kind == "StatefulSet" and not _CONFIGURES.isdisjoint(v.name for v in container.env):
            return True
    return workload.kind == "StatefulSet" and _CALLED_DATABASE.search(workload.name) is not None


def _keeping(gathered: Gathered) -> _Keeping:
    scheduled: list[Evidence] = []
    by_hand: list[Evidence] = []
    restores: list[Evidence] = []
    for path, facts in sorted(gathered.context.files.items()):
        for text, span, is_scheduled in _commands(facts):
            if _TAKES.search(text):
                kind = scheduled if is_scheduled else by_hand
                kind.append(span.evidence(path, "takes a backup"))
            if _RESTORES.search(text):
                restores.append(span.evidence(path, "restores one"))
        if isinstance(facts, ShellFacts) and gathered.roles.get(path) is not Role.TEST:
            said = repr(facts.body)
            if _IN_SCRIPT.search(said):
                by_hand.append(_WHOLE.evidence(path, "takes a backup when it is run"))
            if "restor" in said.lower():
                restores.append(_WHOLE.evidence(path, "restores one"))
    for path in sorted(gathered.roles):
        if (
            path.endswith((".sh", ".bash", ".md", ".rst", ".yml", ".yaml", ".py"))
            and gathered.roles[path] is not Role.TEST
        ):
            if _RESTORES.search(path):
                restores.append(_WHOLE.evidence(path, "is about restoring"))
            elif _TAKES.search(path):
                by_hand.append(_WHOLE.evidence(path, "is about backups"))
    return _Keeping(tuple(scheduled), tuple(by_hand), tuple(restores))


def _commands(facts: object) -> Iterator[tuple[str, Span, bool]]:
    """What files run: text, place, and whether by a schedule."""
    if isinstance(facts, ComposeFacts):
        for service in facts.services:
            words = [service.image or "", service.name, str(service.command or ""), str(service.entrypoint or "")]
            yield " ".join(words), service.span, True
    elif isinstance(facts, KubernetesFacts):
        for workload in facts.workloads:
            words = [workload.name]
            for container in (*workload.containers, *workload.init_containers):
                words += [container.image or "", *container.command, *container.args]
            yield " ".join(words), workload.span, workload.kind == "CronJob"
    elif isinstance(facts, AuditFacts) and facts.workflow is not None:
        for job in facts.workflow.jobs:
            triggers = job.triggers or facts.workflow.triggers
            for step in job.steps:
                yield f"{step.name} {step.uses} {step.run}", step.span, Trigger.SCHEDULE in triggers
