"""What processes of a service agree by: sessions, channel layers, brokers, job stores. Limiters are traffic's.

https://channels.readthedocs.io/en/stable/topics/channel_layers.html, https://flask-session.readthedocs.io,
https://python-socketio.readthedocs.io/en/stable/server.html#emitting-from-external-processes
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.instances.services import deployment_of, replicated
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.instance import CoordinationStore, Reach
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.traffic.processes import several, single

_MEMORY = "memory://"


class _Maker(NamedTuple):
    """A call that makes something that coordinates: in the process unless the argument says where else."""

    what: str
    argument: str
    position: int | None = None


_MAKERS = {
    "flask_socketio.SocketIO": _Maker("Socket.IO server", "message_queue"),
    "socketio.Server": _Maker("Socket.IO server", "client_manager"),
    "socketio.AsyncServer": _Maker("Socket.IO server", "client_manager"),
    "apscheduler.schedulers.background.BackgroundScheduler": _Maker("scheduler", "jobstores"),
    "apscheduler.schedulers.asyncio.AsyncIOScheduler": _Maker("scheduler", "jobstores"),
    "starsessions.InMemoryStore": _Maker("session store", ""),
    "starsessions.stores.InMemoryStore": _Maker("session store", ""),
    "sanic_session.InMemorySessionInterface": _Maker("session store", ""),
    "huey.MemoryHuey": _Maker("task queue", ""),
    "dramatiq.brokers.stub.StubBroker": _Maker("task queue", ""),
}
_LATER = {
    "flask_socketio.SocketIO": ("init_app", "message_queue"),
    "apscheduler.schedulers.background.BackgroundScheduler": ("add_jobstore", None),
    "apscheduler.schedulers.asyncio.AsyncIOScheduler": ("add_jobstore", None),
}
"""Methods that say it after the thing was made, and the argument that does; None where any call does."""
_BY_ADDRESS = {
    "celery.Celery": _Maker("task queue", "broker", 2),
    "broadcaster.Broadcast": _Maker("event bus", "url", 0),
    "taskiq.InMemoryBroker": _Maker("task queue", ""),
}
"""In the process only where the address says so."""
_NAMES = tuple(sorted({name.rpartition(".")[2] for name in (*_MAKERS, *_BY_ADDRESS)}))
_FILES = ("filesystem", "cachelib")


class _Found(NamedTuple):
    what: str
    node: form.Expr
    scope: Scope
    reach: Reach
    shown: str


def coordination_stores(gathered: Gathered) -> Iterator[CoordinationStore]:
    """In order of path and position."""
    ordinals = Ordinals()
    found = [*_made(gathered), *_of_flask(gathered), *_of_django(gathered)]
    for each in sorted(found, key=lambda f: (f.scope.module.path, f.node.start)):
        module, function = each.scope.module, around(each.scope)
        deployment = deployment_of(module.path, gathered)
        many = several(deployment, gathered.project, gathered.production)
        if each.reach is Reach.MACHINE:  # files serve all processes of one machine
            many = replicated(deployment)
        yield CoordinationStore(
            function,
            each.what,
            ordinals.next(function, each.what),
            module.location(each.node),
            module.role,
            each.reach,
            (module.evidence(each.node, each.shown),),
            many,
            single(deployment),
        )


def _made(gathered: Gathered) -> Iterator[_Found]:
    project = gathered.project
    for call, scope in project.calls_named(*_NAMES):
        if scope.module.role is not Role.PROD or offline_reason(scope) is not None:
            continue
        value = project.infer(call.func, scope)
        name = value.name if isinstance(value, External) else ""
        maker = _MAKERS.get(name) or _BY_ADDRESS.get(name)
        if maker is None:
            continue
        positional = call.positional
        given = call.keyword(maker.argument) if maker.argument else None
        if given is None and maker.position is not None and len(positional) > maker.position:
            given = positional[maker.position]
        given = given or _said_later(name, gathered)
        if name in _MAKERS or not maker.argument:
            yield _of_maker(maker, call, given, scope)
        elif given is not None:
            texts = [m.value for m in gathered.production.meanings(given, scope)]
            if all(isinstance(text, str) and text.startswith(_MEMORY) for text in texts):
                yield _Found(
                    maker.what, given, scope, Reach.PROCESS, f"this {maker.what} is in the memory of the process"
                )


def _said_later(name: str, gathered: Gathered) -> form.Expr | None:
    method, argument = _LATER.get(name, ("", None))
    for call, scope in gathered.project.calls_named(method) if method else ():
        value = gathered.project.infer(call.func, scope)
        if isinstance(value, External) and value.name == f"{name}.{method}":
            said = call.keyword(argument) if argument is not None else next(iter(call.positional), None)
            if said is not None:
                return said
    return None


def _of_maker(maker: _Maker, call: form.Call, given: form.Expr | None, scope: Scope) -> _Found:
    is_none = isinstance(given, form.Const) and given.value is None
    if given is not None and not is_none:
        return _Found(maker.what, given, scope, Reach.SHARED, "this connects all processes")
    if call.has_double_star:
        return _Found(maker.what, call, scope, Reach.UNKNOWN, "what it is made with can't be told")
    return _Found(maker.what, call, scope, Reach.PROCESS, f"this {maker.what} is in the memory of the process")


def _of_flask(gathered: Gathered) -> Iterator[_Found]:
    """`SESSION_TYPE` of Flask-Session."""
    if "flask_session" not in gathered.project.imported_packages:
        return
    for module in gathered.project.modules.values():
        for node, scope in _assigned(module, "SESSION_TYPE") if module.role is Role.PROD else ():
            texts = [m.value for m in gathered.production.meanings(node, scope)]
            if all(text in _FILES for text in texts):
                yield _Found("session store", node, scope, Reach.MACHINE, "sessions are files on a local disk")
            elif any(text in _FILES for text in texts):
                yield _Found("session store", node, scope, Reach.UNKNOWN, "sessions may be files on a local disk")
            else:
                yield _Found("session store", node, scope, Reach.SHARED, "all processes see the same sessions")


def _assigned(module: Module, name: str) -> Iterator[tuple[form.Expr, Scope]]:
    """`SESSION_TYPE = ...` in a module or class, `app.config["SESSION_TYPE"] = ...`."""
    for assign, scope in module.assignments:
        for target in assign.targets if assign.value is not None else ():
            is_named = isinstance(target, form.Name) and target.id == name and scope.function is None
            is_item = (
                isinstance(target, form.Subscript)
                and isinstance(target.index, form.Const)
                and target.index.value == name
            )
            if (is_named or is_item) and assign.value is not None:
                yield assign.value, scope


def _of_django(gathered: Gathered) -> Iterator[_Found]:
    production = gathered.production
    for site in production.sites:
        for node, scope in production.given(site, "CHANNEL_LAYERS")[-1:]:
            texts = _texts(node)
            if any(text.endswith("InMemoryChannelLayer") for text in texts):
                yield _Found("channel layer", node, scope, Reach.PROCESS, "messages stay in the process")
            elif texts:
                yield _Found("channel layer", node, scope, Reach.SHARED, "messages reach all processes")
        stated = production.given(site, "SESSION_ENGINE")
        for node, scope in stated[-1:]:
            engines = [m.value for m in production.meanings(node, scope)]
            reach = _of_engines(engines, site, gathered)
            if reach is not None and len(stated) == 1 and production.taken(node, scope).truth is None:
                reach = Reach.UNKNOWN if reach is not Reach.SHARED else reach
            if reach is not None:
                yield _Found("session store", node, scope, reach, _SAID[reach])


_SAID = {
    Reach.SHARED: "all processes see the same sessions",
    Reach.MACHINE: "sessions are files on a local disk",
    Reach.PROCESS: "sessions are in the memory of the process",
    Reach.UNKNOWN: "where sessions are kept hangs on a setting",
}


def _of_engines(engines: list[object], site: Module, gathered: Gathered) -> Reach | None:
    """Where the engines keep sessions; None for a project's own."""
    known = [e for e in engines if isinstance(e, str) and e.startswith("django.contrib.sessions.backends.")]
    if not known or len(known) < len(engines):
        return None
    last = {name.rpartition(".")[2] for name in known}
    if last == {"file"}:
        return Reach.MACHINE
    if last != {"cache"}:
        return Reach.SHARED if "file" not in last and "cache" not in last else Reach.UNKNOWN
    caches = gathered.production.given(site, "CACHES")[-1:]
    texts = [text for node, _ in caches for text in _texts(node)]
    if not caches or any(text.endswith(("LocMemCache", "DummyCache")) for text in texts):
        return Reach.PROCESS
    return Reach.MACHINE if any(text.endswith("FileBasedCache") for text in texts) else Reach.SHARED


def _texts(node: form.Expr) -> list[str]:
    return [n.value for n in form.walk(node) if isinstance(n, form.Const) and isinstance(n.value, str)]
