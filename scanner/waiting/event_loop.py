"""Which functions run on the event loop that answers requests.

What a library awaits while it serves (handlers, middleware, dependencies, consumers, resolvers), tasks that run beside
it, and what these call. What runs once before requests are taken doesn't hold any of them up.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property

from assay.scanner.dataflow.entry_points import serving_functions
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.sources import injection, resolvers_of
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.waiting.calls import JOINING, DirectCalls

_AT_START = frozenset(
    {
        "on_event", "before_serving", "after_serving", "on_startup", "on_shutdown", "before_server_start",
        "after_server_start", "before_server_stop", "after_server_stop", "main_process_start", "main_process_stop",
        "listener", "cleanup_ctx", "on_cleanup", "while_serving", "lifespan", "asynccontextmanager",
    }
)  # fmt: skip
"""Decorators, keywords and lists of what runs when the process starts or ends."""
_MOST_MEANT = 4
"""Methods of one name that a call of something unknown may mean."""
_ASGI = ("scope", "receive", "send")


class EventLoop:
    """The functions on the loop of one project, in the order in which they were found."""

    def __init__(self, project: Project, routes: Iterable[Route], calls: DirectCalls) -> None:
        self._project = project
        self._calls = calls
        at_start = set(self._run_at_start())
        roots = [f for f in self._roots(routes) if f.node.is_async and f not in at_start]
        found = dict.fromkeys(f for f in (*roots, *self._tasks(at_start)) if _serves(f))
        stack = list(found)
        while stack:
            for callee in self._led_to(stack.pop()):
                if callee not in found and _serves(callee):
                    found[callee] = None
                    stack.append(callee)
        self.functions = tuple(found)

    def _roots(self, routes: Iterable[Route]) -> Iterator[FunctionSymbol]:
        for route in routes:
            if route.handler is not None:
                yield route.handler
            yield from route.runs_before
        yield from serving_functions(self._project)
        yield from resolvers_of(self._project)
        for function in self._project.functions:
            if function.name == "__call__" and tuple(p.name for p in function.parameters) == _ASGI:
                yield function

    def _tasks(self, at_start: set[FunctionSymbol]) -> Iterator[FunctionSymbol]:
        """Coroutines that the start of the process leaves running beside requests."""
        seen, stack = set(at_start), [f for f in at_start if _serves(f)]
        while stack:
            function = stack.pop()
            body = self._calls.of(function)
            joined = {arg.value for c in body.calls if last_name(c.func) in JOINING for arg in c.args}
            for step in body.steps:
                if step.callee.node.is_async and step.call not in body.awaited and step.call not in joined:
                    yield step.callee
                elif step.callee not in seen:
                    seen.add(step.callee)
                    stack.append(step.callee)
            yield from self._named_in(function)

    def _run_at_start(self) -> Iterator[FunctionSymbol]:
        for function in self._project.functions:
            for decorator in function.decorators:
                called = decorator.func if isinstance(decorator, form.Call) else decorator
                if last_name(called) in _AT_START:
                    yield function
        for call, scope in self._project.calls:
            for arg in call.args if scope.function is None else ():
                if arg.name in _AT_START or _adds_at_start(call):
                    for node in form.walk(arg.value):
                        yield from self._function(node, scope) if isinstance(node, form.Name | form.Attr) else ()

    def _function(self, node: form.Expr, scope: Scope) -> Iterator[FunctionSymbol]:
        value = self._project.infer(node, scope)
        if isinstance(value, BoundMethod):
            yield value.function
        elif isinstance(value, FunctionSymbol):
            yield value

    def _led_to(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        """What runs on the loop when the function does: what it calls, and coroutines that it hands to others."""
        body = self._calls.of(function)
        yield from (step.callee for step in body.steps)
        for call in body.calls:
            yield from self._perhaps(call, function, is_awaited=call in body.awaited)
        yield from self._named_in(function)
        for param in function.parameters if function.node.is_async else ():
            for node in (param.default, param.annotation):
                injected = injection(node, function.outer, self._project)
                given = injected.node.args[:1] if injected is not None and isinstance(injected.node, form.Call) else []
                for arg in given:
                    assert injected is not None
                    yield from (f for f in self._function(arg.value, injected.scope) if f.node.is_async)
        for decorator in function.decorators:
            called = decorator.func if isinstance(decorator, form.Call) else decorator
            for around in self._function(called, function.outer):
                yield from (f for f in around.nested if f.node.is_async)

    def _perhaps(self, call: form.Call, function: FunctionSymbol, *, is_awaited: bool) -> Iterator[FunctionSymbol]:
        """What a call may mean besides: overrides; of something unknown that is awaited, the methods of that name."""
        if not isinstance(call.func, form.Attr):
            return
        value = self._project.infer(call.func, function.scope)
        if isinstance(value, BoundMethod) and value.function.node.is_async:
            cls = value.receiver.cls or value.function.owner
            for below in self._project.subclasses(cls) if cls is not None else ():
                override = below.methods.get(value.function.name)
                if override is not None and override.node.is_async:
                    yield override
        elif value is None and is_awaited:
            named = self._async_methods.get(call.func.attr, ())
            yield from named if len(named) <= _MOST_MEANT else ()

    @cached_property
    def _async_methods(self) -> Mapping[str, Sequence[FunctionSymbol]]:
        found: dict[str, list[FunctionSymbol]] = {}
        for function in self._project.functions:
            if function.node.is_async and function.owner is not None:
                found.setdefault(function.name, []).append(function)
        return found

    def _named_in(self, function: FunctionSymbol) -> Iterator[FunctionSymbol]:
        """Async functions whose names it hands to somebody."""
        for call in self._calls.of(function).calls:
            for arg in call.args:
                if isinstance(arg.value, form.Name | form.Attr):
                    yield from (f for f in self._function(arg.value, function.scope) if f.node.is_async)


def _serves(function: FunctionSymbol) -> bool:
    return function.module.role is Role.PROD and offline_reason(function.scope) is None


def _adds_at_start(call: form.Call) -> bool:
    """`app.on_startup.append(connect)`, `app.add_event_handler("startup", connect)`."""
    if not isinstance(call.func, form.Attr):
        return False
    if call.func.attr == "append":
        return last_name(call.func.value) in _AT_START
    return call.func.attr in ("add_event_handler", "register_listener")
