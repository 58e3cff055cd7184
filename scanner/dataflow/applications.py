"""The processes that a service's code makes up: web applications and workers, by the objects that they serve."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import Module
from assay.scanner.model.log import ProcessKind
from assay.scanner.model.place import Location
from assay.scanner.model.role import Role

_APPLICATIONS = {
    "fastapi.FastAPI": ProcessKind.WEB,
    "flask.Flask": ProcessKind.WEB,
    "starlette.applications.Starlette": ProcessKind.WEB,
    "aiohttp.web.Application": ProcessKind.WEB,
    "sanic.Sanic": ProcessKind.WEB,
    "quart.Quart": ProcessKind.WEB,
    "litestar.Litestar": ProcessKind.WEB,
    "connexion.App": ProcessKind.WEB,
    "connexion.FlaskApp": ProcessKind.WEB,
    "connexion.AsyncApp": ProcessKind.WEB,
    "bottle.Bottle": ProcessKind.WEB,
    "pyramid.config.Configurator": ProcessKind.WEB,
    "falcon.App": ProcessKind.WEB,
    "falcon.asgi.App": ProcessKind.WEB,
    "tornado.web.Application": ProcessKind.WEB,
    "django.core.wsgi.get_wsgi_application": ProcessKind.WEB,
    "django.core.asgi.get_asgi_application": ProcessKind.WEB,
    "django.core.handlers.wsgi.WSGIHandler": ProcessKind.WEB,
    "django.core.handlers.asgi.ASGIHandler": ProcessKind.WEB,
    "celery.Celery": ProcessKind.WORKER,
    "dramatiq.set_broker": ProcessKind.WORKER,
    "rq.Worker": ProcessKind.WORKER,
    "huey.RedisHuey": ProcessKind.WORKER,
    "huey.SqliteHuey": ProcessKind.WORKER,
    "faust.App": ProcessKind.WORKER,
    "procrastinate.App": ProcessKind.WORKER,
    "arq.run_worker": ProcessKind.WORKER,
    "arq.worker.run_worker": ProcessKind.WORKER,
    "taskiq_redis.ListQueueBroker": ProcessKind.WORKER,
    "taskiq_redis.RedisStreamBroker": ProcessKind.WORKER,
    "taskiq_aio_pika.AioPikaBroker": ProcessKind.WORKER,
}
_WORKER_BASES = ("rq.Worker", "rq.worker.", "rq.decorators.job")
_ARQ_SETTINGS = "WorkerSettings"
"""The class that arq's command is given; it has no base."""


@dataclass(frozen=True, slots=True)
class Application:
    """What a process of the kind serves, or works for. `library` is the package that makes it, empty for a class of the
    project.
    """

    kind: ProcessKind
    module: Module
    location: Location
    library: str


def applications(project: Project, modules: Collection[Module]) -> dict[ProcessKind, list[Application]]:
    """Those of the modules, those that serve before others."""
    found: dict[ProcessKind, list[Application]] = {}
    names = {last_part(name) for name in _APPLICATIONS}
    paths = {m.path for m in modules}
    for call, scope in project.calls_named(*sorted(names)):
        whole = project.callee_name(call, scope) if scope.module.path in paths else None
        kind = _APPLICATIONS.get(whole or "")
        if whole is not None and kind is not None:
            found.setdefault(kind, []).append(
                Application(kind, scope.module, scope.module.location(call), whole.partition(".")[0])
            )
    for cls in project.classes:
        if cls.module.path not in paths:
            continue
        bases = project.base_names(cls)
        made = next((k for name, k in _APPLICATIONS.items() if name in bases), None)
        is_settings = cls.name == _ARQ_SETTINGS and "functions" in cls.scope.bindings
        if made is None and (is_settings or any(b.startswith(_WORKER_BASES) for b in bases)):
            made = ProcessKind.WORKER
        if made is not None:
            found.setdefault(made, []).append(Application(made, cls.module, cls.location, ""))
    return {kind: _production(apps) for kind, apps in found.items()}


def imported(start: Iterable[Module], project: Project) -> set[str]:
    """The paths of the modules and of all that they import, directly or through others."""
    todo = list(start)
    seen = {m.path for m in todo}
    while todo:
        for module in project.imports(todo.pop()):
            if module.path not in seen:
                seen.add(module.path)
                todo.append(module)
    return seen


def _production(apps: list[Application]) -> list[Application]:
    """Those that serve; the others where none does."""
    return sorted([a for a in apps if a.module.role is Role.PROD] or apps, key=lambda a: a.location)
