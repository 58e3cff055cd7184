"""What connects beside the web frameworks' routes: consumers of Django Channels, Socket.IO, Flask-Sock."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.sockets.checks import asking_decorators, checks_of, wrappers_of
from assay.scanner.access.sockets.routes import admitted
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.access import Admission, SocketEntrance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CONSUMERS = tuple(
    f"channels.generic.websocket.{name}"
    for name in ("WebsocketConsumer", "AsyncWebsocketConsumer", "JsonWebsocketConsumer", "AsyncJsonWebsocketConsumer")
)
_FILLING = frozenset(
    """AuthMiddlewareStack AuthMiddleware SessionMiddlewareStack SessionMiddleware CookieMiddleware URLRouter
    ProtocolTypeRouter AsgiHandler get_asgi_application""".split()
)
"""What only says who connects, and what leads on."""
_ORIGIN = frozenset({"AllowedHostsOriginValidator", "OriginValidator"})
_NAMESPACES = ("flask_socketio.Namespace", "socketio.Namespace", "socketio.AsyncNamespace")
_SOCKET_IO = ("flask_socketio.SocketIO", "socketio.AsyncServer", "socketio.Server")


def consumers(project: Project) -> Iterator[SocketEntrance]:
    """Those of libraries that the project imports."""
    packages = project.imported_packages
    if "channels" in packages:
        yield from _channels(project)
    if not packages.isdisjoint(("flask_sock", "flask_socketio", "socketio")):
        yield from _decorated(project)
        yield from _namespaces(project)


def _channels(project: Project) -> Iterator[SocketEntrance]:
    origin, unfollowed = _around_consumers(project)
    for cls in project.classes:
        if cls.module.role is not Role.PROD or not project.is_subclass(cls, *_CONSUMERS) or project.subclasses(cls):
            continue
        methods = [project.method(cls, name) for name in ("connect", "websocket_connect", "__call__", "dispatch")]
        found = [method for method in methods if method is not None]
        location = found[0].location if found and found[0].owner is cls else cls.location
        admission, evidence = _admission(
            found, project, origin, unfollowed, Evidence(location, "accepts whoever connects")
        )
        yield SocketEntrance(cls.id, location, cls.module.role, admission, evidence)


def _around_consumers(project: Project) -> tuple[tuple[Evidence, ...], tuple[Evidence, ...]]:
    """What checks the origin in front of all consumers, and what may check more."""
    origin, unfollowed = list[Evidence](), list[Evidence]()
    for call, scope in project.calls_named("ProtocolTypeRouter"):
        for node in form.walk(call):
            name = last_name(node.func) if isinstance(node, form.Call) else None
            if name in _ORIGIN:
                origin.append(scope.module.evidence(node, f"{name} compares the origin"))
            elif (
                isinstance(node, form.Call)
                and name is not None
                and name not in _FILLING
                and _may_check(node, scope, project)
            ):
                unfollowed.append(scope.module.evidence(node, f"{name} may turn callers away"))
    return tuple(origin), tuple(unfollowed)


def _may_check(call: form.Call, scope: Scope, project: Project) -> bool:
    """Middleware of the project that closes connections, or a library's that is not known."""
    value = project.infer(call.func, scope)
    if isinstance(value, FunctionSymbol):
        inner = [n for n in value.walk() if isinstance(n, form.Call) and last_name(n.func) not in _FILLING]
        return any(_may_check(node, value.scope, project) for node in inner)
    if isinstance(value, ClassSymbol):
        method = project.method(value, "__call__")
        checks = checks_of(method, project) if method is not None else None
        return checks is not None and bool(checks.identity or checks.hidden)
    return isinstance(value, External) and not value.name.startswith(("channels.", "django."))


def _admission(
    handlers: list[FunctionSymbol],
    project: Project,
    origin: tuple[Evidence, ...],
    unfollowed: tuple[Evidence, ...],
    otherwise: Evidence,
) -> tuple[Admission, tuple[Evidence, ...]]:
    checks = [checks_of(handler, project) for handler in handlers]
    identity = tuple(e for check in checks for e in check.identity)
    hidden = (*unfollowed, *(e for check in checks for e in check.hidden))
    origins = (*origin, *(e for check in checks for e in check.origin))
    if identity:
        return admitted(checks, is_guarded=False), identity
    if hidden:
        return Admission.UNKNOWN, hidden
    return (Admission.ORIGIN, origins) if origins else (Admission.ANYBODY, (otherwise,))


def _namespaces(project: Project) -> Iterator[SocketEntrance]:
    """Classes of Socket.IO's events, by what they do as somebody connects."""
    for cls in project.classes:
        if cls.module.role is not Role.PROD or not project.is_subclass(cls, *_NAMESPACES) or project.subclasses(cls):
            continue
        method = project.method(cls, "on_connect")
        location = method.location if method is not None and method.owner is cls else cls.location
        evidence = Evidence(location, "accepts whoever connects")
        handlers = [method, *wrappers_of(method, project)] if method is not None else []
        admission, proof = _admission(handlers, project, (), (), evidence)
        yield SocketEntrance(cls.id, location, cls.module.role, admission, proof)


def _decorated(project: Project) -> Iterator[SocketEntrance]:
    """`@sock.route("/feed")` and `@socketio.on("connect")`."""
    for function in project.functions:
        for node in function.decorators if function.module.role is Role.PROD else ():
            name = _entrance(node, function, project)
            if name is None:
                continue
            evidence = Evidence(function.location, "accepts whoever connects")
            handlers = [function, *wrappers_of(function, project)]
            admission, proof = _admission(handlers, project, (), (), evidence)
            guarded = next(asking_decorators(function), None)
            if guarded is not None:
                admission, proof = Admission.KNOWN, (guarded,)
            yield SocketEntrance(f"{name} of {function.id}", function.location, function.module.role, admission, proof)


def _entrance(node: form.Expr, function: FunctionSymbol, project: Project) -> str | None:
    callee = node.func if isinstance(node, form.Call) else node
    if not isinstance(callee, form.Attr):
        return None
    value = project.infer(callee.value, function.outer)
    kind = value.type_name if isinstance(value, Instance) else ""
    stated = node.positional[0] if isinstance(node, form.Call) and node.positional else None
    said = stated.value if isinstance(stated, form.Const) and isinstance(stated.value, str) else None
    if kind.startswith("flask_sock.") and callee.attr == "route":
        return said
    if kind in _SOCKET_IO and callee.attr == "on" and said in ("connect", "connection"):
        return said
    return function.name if kind in _SOCKET_IO and callee.attr == "event" and function.name == "connect" else None
