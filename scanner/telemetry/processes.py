"""The kinds of process that a service runs, and which of its code each of them gets to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.applications import applications, imported
from assay.scanner.linker.scopes import Module
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.workload import StartCommand, WorkloadKind
from assay.scanner.telemetry.agents import is_flower
from assay.scanner.telemetry.code import ServiceCode

_KINDS = {WorkloadKind.WEB: ProcessKind.WEB, WorkloadKind.WORKER: ProcessKind.WORKER}
_OF_WORKERS = frozenset({"tasks", "jobs", "worker", "workers", "celery", "celeryconfig", "consumers", "actors"})
"""Names of modules that workers find by themselves."""
_SHARED = frozenset({"settings", "config", "conf", "apps"})
"""Names of modules that all processes are told to load."""


@dataclass(frozen=True, slots=True)
class RunningKind:
    """One kind of process. `alone` says that the service has no other; `mine` are the paths of modules that it imports,
    `others` those that only another kind does.
    """

    kind: ProcessKind
    location: Location
    role: Role
    alone: bool
    mine: frozenset[str]
    others: frozenset[str]

    def runs(self, module: Module) -> bool:
        """Whether the process gets to the module. A web process imports what it likes, settings and routes by name; a
        worker of the same code gets what it imports, and modules of tasks.
        """
        if self.alone or module.path in self.mine:
            return True
        if self.kind is ProcessKind.WEB:
            return module.path not in self.others
        return is_of_workers(module) or module.name.rpartition(".")[2] in _SHARED

    def is_started_by(self, command: StartCommand) -> bool:
        """Whether the command may start such a process."""
        return _KINDS.get(command.process.kind, self.kind) is self.kind


def is_of_workers(module: Module) -> bool:
    """Whether the module is named for what workers do."""
    return not _OF_WORKERS.isdisjoint(module.name.split("."))


def running_kinds(code: ServiceCode) -> Iterator[RunningKind]:
    """By the applications that the code makes, else by what the service's workloads run."""
    modules = [m for m in code.project.modules.values() if code.owns(m.path)]
    by_kind = applications(code.project, modules)
    places = {kind: (apps[0].location, apps[0].module.role) for kind, apps in by_kind.items()}
    deployment = code.gathered.deployments.get(code.service.name)
    for workload in deployment.workloads if deployment is not None else ():
        kind = _KINDS.get(workload.kind)
        if kind is not None and workload.role is Role.PROD and not is_flower(workload):
            places.setdefault(kind, (workload.location, workload.role))
    settings = [m for m in code.gathered.production.sites if code.owns(m.path)]
    reached = {kind: imported([*(a.module for a in by_kind.get(kind, ())), *settings], code.project) for kind in places}
    for kind, (location, role) in sorted(places.items()):
        elsewhere = {path for other, paths in reached.items() if other is not kind for path in paths}
        yield RunningKind(
            kind, location, role, len(places) == 1, frozenset(reached[kind]), frozenset(elsewhere - reached[kind])
        )


def started_by(code: ServiceCode, running: RunningKind, found: Evidence) -> bool:
    """Whether what a start command shows is true of the kind of process."""
    deployment = code.gathered.deployments.get(code.service.name)
    commands = deployment.start_commands if deployment is not None else ()
    here = [c for c in commands if c.location == found.location]
    return not here or any(running.is_started_by(c) for c in here)
