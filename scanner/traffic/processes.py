"""How many processes serve a service's requests: by its workloads, by what starts its server in code."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.deployment import Deployment
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform, Workload, WorkloadKind
from assay.scanner.readers.python import form

_SERVERS = frozenset({"uvicorn.run", "hypercorn.run", "granian.Granian"})
_ALONE = frozenset({"uvicorn", "daphne", "waitress-serve", "hypercorn", "fastapi run"})
"""Servers that are one process unless a flag says otherwise."""


def several(deployment: Deployment, project: Project, production: Production) -> tuple[Evidence, ...]:
    """What shows that more than one process serves requests."""
    return tuple([*_deployed(deployment), *_in_code(project, production)][:2])


def single(deployment: Deployment) -> tuple[Evidence, ...]:
    """What shows that only one does: a platform that runs one instance of a server without workers."""
    serving = [w for w in _serving(deployment) if w.platform is not Platform.DOCKERFILE]
    if serving and all(_is_alone(w) for w in serving):
        return (Evidence(serving[0].location, "one process serves all requests"),)
    return ()


def _serving(deployment: Deployment) -> Iterator[Workload]:
    for workload in deployment.workloads:
        if workload.role is Role.PROD and workload.kind is WorkloadKind.WEB:
            yield workload


def _is_alone(workload: Workload) -> bool:
    process = workload.process
    workers = process.workers if process.workers is not None else 1 if process.server in _ALONE else 0
    return workers == 1 and workload.replicas in (None, 1)


def _deployed(deployment: Deployment) -> Iterator[Evidence]:
    for workload in _serving(deployment):
        workers, replicas = workload.process.workers, workload.replicas
        if workers is not None and workers > 1:
            place = workload.command.location if workload.command is not None else workload.location
            yield Evidence(place, f"{workers} processes serve requests")
        elif replicas is not None and replicas > 1:
            yield Evidence(workload.location, f"{replicas} replicas serve requests")


def _in_code(project: Project, production: Production) -> Iterator[Evidence]:
    """`uvicorn.run(..., workers=4)`, and the file that Gunicorn is configured by."""
    for call, scope in project.calls_named("run", "Granian"):
        stated = call.keyword("workers")
        if stated is not None and project.qualified_name(call.func, scope) in _SERVERS:
            found = [m.value for m in production.meanings(stated, scope)]
            if all(isinstance(value, int) and value > 1 for value in found):
                yield scope.module.evidence(stated, f"{found[0]} processes serve requests")
    for module in project.modules.values():
        if "gunicorn" in module.path.rpartition("/")[2] and module.role is Role.PROD:
            for binding in module.scope.bindings.get("workers", ())[-1:]:
                if binding.value is not None and _is_many(binding.value):
                    yield module.evidence(binding.value, "several processes serve requests")


def _is_many(node: form.Expr) -> bool:
    """`4`, or a number that grows with the processors."""
    if isinstance(node, form.Const):
        return isinstance(node.value, int) and node.value > 1
    return any(isinstance(part, form.Call) and last_name(part.func) == "cpu_count" for part in form.walk(node))
