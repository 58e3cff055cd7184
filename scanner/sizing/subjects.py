"""The processes of workloads, beside the processors that they may use and the connections that their database takes."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.configuration.gunicorn_files import gunicorn_setting
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.concurrency import WorkloadConcurrency
from assay.scanner.model.place import Evidence
from assay.scanner.model.workload import Platform, Workload, WorkloadKind
from assay.scanner.readers.compose import ComposeFacts
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.python import form
from assay.scanner.sizing.pools import Pool, pool_of

_COUNTING = frozenset({"cpu_count", "process_cpu_count"})
_OF_MACHINE = re.compile(r"\bnproc\b|\bcpu_count\b|/proc/cpuinfo|\bgetconf _NPROCESSORS")
_OF_CELERY = re.compile(r"(?:^| )(?:-c|--concurrency|--autoscale|-P|--pool)")
_TELLS_CELERY = ("WORKER_CONCURRENCY", "CELERYD_CONCURRENCY")
_MOST = re.compile(r"max_connections\s*=\s*'?\"?(\d+)|--max[-_]connections[= ](\d+)")
_POOLER = re.compile(r"pgbouncer|pgcat|pgpool|odyssey|proxysql|supavisor|rds-?proxy|cloud-?sql-?proxy-pool")
_DEFAULT_OF_POSTGRES = 100
"""https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-MAX-CONNECTIONS"""


@dataclass(frozen=True, slots=True)
class _Server:
    """A database that the tree runs: the most connections that it is told to take, and where."""

    most: int | None
    place: Evidence


def concurrency(gathered: Gathered) -> Iterator[WorkloadConcurrency]:
    """Of the servers and workers of each service."""
    for service in gathered.services:
        deployment = gathered.deployments.get(service.name)
        workloads = deployment.workloads if deployment is not None else ()
        running = [w for w in workloads if w.kind in (WorkloadKind.WEB, WorkloadKind.WORKER) and w.command is not None]
        pool = pool_of(service, gathered) if any(w.process.workers is not None for w in running) else None
        for workload in running:
            yield _of(service.root, workload, pool, gathered)


def _of(root: str, workload: Workload, pool: Pool | None, gathered: Gathered) -> WorkloadConcurrency:
    command = workload.command
    assert command is not None
    by_processors, told = _by_processors(workload, root, gathered)
    server = _server_beside(workload, gathered)
    is_default = server is not None and server.most is None
    return WorkloadConcurrency(
        service_root=root,
        subject_id=workload.subject_id,
        name=workload.name,
        location=command.location,
        role=workload.role,
        place=Evidence(command.location, f"starts {workload.process.text[:80] or workload.name}"),
        by_processors=by_processors,
        cpu_limit=workload.capacity.cpu_limit,
        perhaps_told=told,
        copies=workload.capacity.most_copies or workload.replicas or 1,
        processes=workload.process.workers,
        per_process=pool.most if pool is not None else None,
        pool=pool.place if pool is not None else None,
        most=_DEFAULT_OF_POSTGRES if is_default else server.most if server is not None else None,
        is_default=is_default,
        limit=server.place if server is not None else None,
        pooler=_pooler(workload, gathered),
        doubt=workload.doubt,
    )


# --- processes ---


def _by_processors(workload: Workload, root: str, gathered: Gathered) -> tuple[Evidence | None, Evidence | None]:
    """What shows that the machine's processors decide, and what else may have a say."""
    process, command = workload.process, workload.command
    assert command is not None
    if _OF_MACHINE.search(process.text):
        return Evidence(command.location, f"as many processes as processors: `{process.text[:80]}`"), None
    if process.server == "gunicorn" and process.workers is None:
        return _of_gunicorn_file(workload, root, gathered)
    if process.server == "celery" and " worker" in f" {process.text}" and not _OF_CELERY.search(process.text):
        if _tells_celery(gathered):
            return None, None
        return Evidence(command.location, "Celery starts as many processes as the machine has processors"), None
    return None, None


def _of_gunicorn_file(workload: Workload, root: str, gathered: Gathered) -> tuple[Evidence | None, Evidence | None]:
    workers = gunicorn_setting("workers", workload, root, gathered.project)
    counting, is_told = _counting(workers.node, workers.scope) if workers is not None else (None, False)
    if workers is None or counting is None:
        return None, None
    shown = workers.module.evidence(counting, "as many workers as the machine has processors")
    return shown, workers.module.evidence(counting, "unless a variable says so") if is_told else None


def _counting(node: form.Expr, scope: Scope, depth: int = 3) -> tuple[form.Expr | None, bool]:
    """The call that counts processors, and whether the environment or an upper bound may say otherwise."""
    told = False
    found: form.Expr | None = None
    for part in form.walk(node):
        if isinstance(part, form.Call) and last_name(part.func) == "min":
            return None, True
        if isinstance(part, form.Call) and last_name(part.func) in _COUNTING:
            found = part
        elif isinstance(part, form.Name | form.Attr) and last_name(part) in ("environ", "getenv"):
            told = True
        elif isinstance(part, form.Name) and depth:
            for binding in scope.lookup(part.id):
                if binding.value is not None:
                    inner, is_told = _counting(binding.value, binding.scope, depth - 1)
                    found, told = found or inner, told or is_told
    return found, told


def _tells_celery(gathered: Gathered) -> bool:
    """Whether the code says how many processes Celery starts."""
    if any(s.name.rpartition(".")[2].upper().endswith(_TELLS_CELERY) for s in gathered.settings):
        return True
    calls = gathered.project.calls_named("update", "Celery", "worker_main", "config_from_object")
    named = any(call.keyword("worker_concurrency") is not None for call, _ in calls)
    return named or any(_writes(m) for m in gathered.project.modules.values())


def _writes(module: Module) -> bool:
    return "worker_concurrency" in module.writes_by_name or "worker_concurrency" in module.scope.bindings


# --- databases ---


def _server_beside(workload: Workload, gathered: Gathered) -> _Server | None:
    """The database that the workload's own file or folder starts; None where there is none, or more than one."""
    path = workload.location.path
    match gathered.context.files.get(path):
        case ComposeFacts() as compose:
            found = [
                _server(" ".join(s.command.words) if s.command is not None else "", s.span.evidence(path, s.name))
                for s in compose.services
                if _is_postgres(s.image)
            ]
        case KubernetesFacts():
            folder = posixpath.dirname(path)
            found = [
                _server(" ".join((*c.command, *c.args)), c.span.evidence(other, c.name))
                for other, facts in gathered.context.files.items()
                if isinstance(facts, KubernetesFacts) and posixpath.dirname(other) == folder
                for pod in facts.workloads
                for c in pod.containers
                if _is_postgres(c.image)
            ]
        case _:
            return None
    return found[0] if len(found) == 1 else None


def _server(command: str, place: Evidence) -> _Server:
    stated = _MOST.search(command)
    if stated is None:
        return _Server(
            None, Evidence(place.location, f"{place.text} takes {_DEFAULT_OF_POSTGRES}, PostgreSQL's default")
        )
    most = int(stated[1] or stated[2])
    return _Server(most, Evidence(place.location, f"{place.text} takes {most} connections"))


def _is_postgres(image: str | None) -> bool:
    name = (image or "").rpartition("/")[2].partition(":")[0]
    return name in ("postgres", "postgresql", "postgis", "timescaledb", "pgvector", "timescaledb-ha")


def _pooler(workload: Workload, gathered: Gathered) -> Evidence | None:
    """What stands between, in the workload's own file or folder."""
    folder = posixpath.dirname(workload.location.path)
    for path, facts in sorted(gathered.context.files.items()):
        if posixpath.dirname(path) != folder:
            continue
        if isinstance(facts, ComposeFacts) and workload.platform is Platform.COMPOSE:
            for service in facts.services:
                if _POOLER.search(f"{service.name} {service.image or ''}".lower()):
                    return service.span.evidence(path, f"{service.name} shares connections")
        elif isinstance(facts, KubernetesFacts) and workload.platform is Platform.KUBERNETES:
            for container in (c for pod in facts.workloads for c in pod.containers):
                if _POOLER.search(f"{container.name} {container.image or ''}".lower()):
                    return container.span.evidence(path, f"{container.name} shares connections")
    return None
