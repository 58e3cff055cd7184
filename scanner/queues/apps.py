"""Worker apps: which libraries run the tasks of each service and which brokers it consumes from, and where each of them
is set up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.telemetry.code import ServiceCode

_MADE: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "Celery": ("celery", ("Celery",)),
    "RQ": ("rq", ("Queue", "RQ")),
    "Dramatiq": ("dramatiq", ("set_broker", "RedisBroker", "RabbitmqBroker")),
    "arq": ("arq", ("create_worker", "run_worker", "Worker")),
    "Huey": ("huey", ("RedisHuey", "PriorityRedisHuey", "SqliteHuey", "RedisExpireHuey", "Huey")),
    "Django Q": ("django_q", ()),
}
"""The libraries whose tasks wait in a queue, with the calls that set one up; schedulers run theirs at once."""
_CONSUMED = ("Kafka", "RabbitMQ", "SQS", "Google Pub/Sub", "Azure Service Bus", "FastStream", "Faust")
"""Brokers whose messages wait until a consumer takes them."""
_SETTINGS = {"Django Q": "Q_CLUSTER", "Huey": "HUEY", "RQ": "RQ_QUEUES"}
"""Settings of Django that do."""


@dataclass(frozen=True, slots=True, eq=False)
class App:
    """The tasks of one library in one service; or its consumers of one broker, which have none."""

    framework: str
    code: ServiceCode
    tasks: Sequence[Task]
    location: Location

    @property
    def package(self) -> str:
        return _MADE[self.framework][0] if self.tasks else ""


def worker_apps(gathered: Gathered) -> Iterator[App]:
    """In order of the services, then of the libraries."""
    for service in gathered.services:
        mine = [t for t in gathered.tasks if t.role is Role.PROD and gathered.owners.of(t.location.path) is service]
        consumers = [
            c for c in gathered.consumers if c.role is Role.PROD and gathered.owners.of(c.location.path) is service
        ]
        if not mine and not consumers:
            continue
        code = ServiceCode(service, gathered)
        for framework in _MADE:
            tasks = [t for t in mine if t.framework == framework]
            if tasks:
                yield App(framework, code, tasks, _place(framework, code) or tasks[0].location)
        for framework in _CONSUMED:
            place = next((c.location for c in consumers if c.framework == framework), None)
            if place is not None:
                yield App(framework, code, (), place)


def _place(framework: str, code: ServiceCode) -> Location | None:
    """Where the library is set up in the service."""
    package, names = _MADE[framework]
    made = [
        scope.module.location(call)
        for call, scope in code.calls_named(*names)
        if (code.project.callee_name(call, scope) or "").startswith(f"{package}.")
    ]
    if made:
        return min(made, key=lambda place: not {"celery", "worker"} & set(words(place.path)))
    setting = _SETTINGS.get(framework)
    for module in code.modules:
        for binding in module.scope.bindings.get(setting, ()) if setting is not None else ():
            return module.span(binding.offset, binding.offset + len(setting or ""))
        for cls in module.classes if framework == "arq" and "WorkerSettings" in module.scope.bindings else ():
            if cls.name == "WorkerSettings":
                return cls.location
    return None
