"""The code of asynchronous servers that runs when they start and when they stop.

https://fastapi.tiangolo.com/advanced/events/, https://docs.aiohttp.org/en/stable/web_advanced.html#signals,
https://docs.litestar.dev/latest/usage/applications.html#lifespan-context-managers,
https://sanic.dev/en/guide/basics/listeners.html
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_APPLICATIONS = ("FastAPI", "Starlette", "Litestar", "APIRouter", "Router", "Quart", "Sanic")
_STARTING = frozenset({"startup", "before_server_start", "after_server_start", "main_process_start", "before_serving"})
_STOPPING = frozenset({
    "shutdown", "before_server_stop", "after_server_stop", "main_process_stop", "after_serving",
})  # fmt: skip
_START_LISTS, _STOP_LISTS = frozenset({"on_startup"}), frozenset({"on_shutdown", "on_cleanup"})
_AROUND = frozenset({"lifespan", "cleanup_ctx", "lifespan_context"})
"""Keywords, lists and attributes for generators, which start up to their `yield` and stop behind it."""
_TOLD_BY_TEXT = frozenset({"on_event", "listener", "add_event_handler", "register_listener"})
_ENTERING = frozenset({"enter_async_context", "enter_context"})
_LEAVING = ("__aexit__", "__exit__")
_DEEPEST = 3
_IMPORTS = ("fastapi", "starlette", "litestar", "aiohttp", "sanic", "quart")


@dataclass(frozen=True, slots=True)
class Part:
    """A function's nodes that run in a phase."""

    function: FunctionSymbol
    nodes: tuple[form.Expr | form.Stmt, ...]


@dataclass(frozen=True, slots=True)
class Phases:
    """What runs on the way up and on the way down."""

    starting: tuple[Part, ...]
    stopping: tuple[Part, ...]


def phases_of(project: Project) -> Phases | None:
    """Those of all servers of the project's production code; None where no such server is there."""
    if project.imported_packages.isdisjoint(_IMPORTS):
        return None
    starting: dict[FunctionSymbol, Part] = {}
    stopping: dict[FunctionSymbol, Part] = {}
    for function, is_up, is_down in _handlers(project):
        if function.module.role is not Role.PROD or offline_reason(function.scope) is not None:
            continue
        at = next((n for n in function.nodes if isinstance(n, form.Yield)), None)
        if is_up and is_down and at is None:
            continue
        if is_up:
            starting[function] = Part(function, _nodes(function, None, at))
        if is_down:
            stopping[function] = Part(function, _nodes(function, at, None))
    return Phases(tuple(starting.values()), tuple(stopping.values())) if starting else None


def _nodes(
    function: FunctionSymbol, after: form.Node | None, before: form.Node | None
) -> tuple[form.Expr | form.Stmt, ...]:
    return tuple(
        n
        for n in function.nodes
        if (after is None or n.start > after.start) and (before is None or n.start < before.start)
    )


def _handlers(project: Project) -> Iterator[tuple[FunctionSymbol, bool, bool]]:
    """Each with whether it runs on the way up, and on the way down."""
    yield from _decorated(project)
    yield from _listed(project)


def _decorated(project: Project) -> Iterator[tuple[FunctionSymbol, bool, bool]]:
    for function in project.functions:
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, form.Call) else decorator
            name = last_name(called) or ""
            if name in ("asynccontextmanager", "while_serving"):
                is_lifespan = name == "while_serving" or "lifespan" in function.name.lower()
                if is_lifespan:
                    yield function, True, True
                continue
            text = _text(decorator) if name in _TOLD_BY_TEXT else name
            if text in _STARTING | _STOPPING and isinstance(called, form.Attr):
                yield function, text in _STARTING, text in _STOPPING


def _listed(project: Project) -> Iterator[tuple[FunctionSymbol, bool, bool]]:
    for call, scope in project.calls_named(*_APPLICATIONS):
        for arg in call.args:
            if arg.name in _AROUND | _START_LISTS | _STOP_LISTS:
                yield from _named(arg.name, arg.value, scope, project)
    for call, scope in project.calls_named("append", "extend"):
        owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
        if owner is not None and owner in _AROUND | _START_LISTS | _STOP_LISTS and call.positional:
            yield from _named(owner, call.positional[0], scope, project)
    for call, scope in project.calls_named("add_event_handler", "register_listener"):
        text = _text(call) or next((t for a in call.args if (t := _of_const(a.value))), None)
        handed = [a.value for a in call.args if not isinstance(a.value, form.Const)]
        for function in (f for node in handed for f in _functions(node, scope, project)):
            if text in _STARTING | _STOPPING:
                yield function, text in _STARTING, text in _STOPPING


def _named(name: str, node: form.Expr, scope: Scope, project: Project) -> Iterator[tuple[FunctionSymbol, bool, bool]]:
    for function in _functions(node, scope, project):
        yield function, name not in _STOP_LISTS, name not in _START_LISTS


def _functions(node: form.Expr, scope: Scope, project: Project, depth: int = _DEEPEST) -> Iterator[FunctionSymbol]:
    """The functions that an expression names, those that a factory gives among them."""
    if isinstance(node, form.Display):
        yield from (f for item in node.items for f in _functions(item, scope, project, depth))
        return
    value = project.infer(node, scope)
    if isinstance(value, FunctionSymbol) and not isinstance(node, form.Call):
        yield value
    elif isinstance(value, BoundMethod):
        yield value.function
    elif isinstance(node, form.Call) and depth:
        factory = project.callee_function(node, scope)
        for returned in factory.returns if factory is not None else ():
            if returned.value is not None and factory is not None:
                yield from _functions(returned.value, factory.scope, project, depth - 1)
    elif depth:
        for made, around in definitions(node, scope, project):
            if made is not node:
                yield from _functions(made, around, project, depth - 1)


def _text(node: form.Expr) -> str | None:
    return next((t for v in node.positional[:2] if (t := _of_const(v))), None) if isinstance(node, form.Call) else None


def _of_const(node: form.Expr) -> str | None:
    return node.value if isinstance(node, form.Const) and isinstance(node.value, str) else None


def reached(parts: Iterable[Part], project: Project, depth: int = _DEEPEST) -> Iterator[Part]:
    """The parts, and the functions of the project that they call and wait for: tasks that they start aren't."""
    seen: set[FunctionSymbol] = set()
    level = list(parts)
    while level and depth >= 0:
        below: list[Part] = []
        for part in level:
            yield part
            left = {id(a.value) for n in part.nodes if isinstance(n, form.Call) and _starts(n) for a in n.args}
            for node in part.nodes:
                callee = None
                if isinstance(node, form.Call) and id(node) not in left:
                    callee = project.callee_function(node, part.function.scope)
                if callee is not None and callee not in seen and callee.module.role is Role.PROD:
                    seen.add(callee)
                    below.append(Part(callee, callee.nodes))
        level, depth = below, depth - 1


def on_leaving(parts: Iterable[Part], project: Project) -> Iterator[Part]:
    """What runs when the blocks are left that the parts enter: behind the `yield` of the project's own generators, and
    `__aexit__` of its classes.
    """
    for part in parts:
        for manager in _entered(part):
            scope = part.function.scope
            generator = project.callee_function(manager, scope) if isinstance(manager, form.Call) else None
            at = next((n for n in generator.nodes if isinstance(n, form.Yield)), None) if generator else None
            if generator is not None and at is not None:
                yield Part(generator, _nodes(generator, at, None))
                continue
            made = project.infer(manager, scope)
            cls = made.cls if isinstance(made, Instance) else None
            for method in (project.method(cls, name) for name in _LEAVING) if cls is not None else ():
                if method is not None:
                    yield Part(method, method.nodes)


def _entered(part: Part) -> Iterator[form.Expr]:
    for node in part.nodes:
        if isinstance(node, form.With):
            yield from (item.value for item in node.items)
        elif isinstance(node, form.Call) and last_name(node.func) in _ENTERING:
            yield from node.positional[:1]


def _starts(call: form.Call) -> bool:
    return last_name(call.func) in ("create_task", "ensure_future", "add_task", "start_soon")
