"""Work that is started beside the code that goes on: tasks of the event loop, threads, jobs of executors.

https://docs.python.org/3/library/asyncio-task.html#asyncio.create_task,
https://docs.python.org/3/library/concurrent.futures.html
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.waiting import BackgroundWork, Care
from assay.scanner.readers.python import form

_TASKS = frozenset({"create_task", "ensure_future"})
_THREADS = frozenset({"threading.Thread", "threading.Timer", "multiprocessing.Process"})
_EXECUTORS = (
    "concurrent.futures.ThreadPoolExecutor", "concurrent.futures.ProcessPoolExecutor",
    "concurrent.futures.thread.ThreadPoolExecutor", "concurrent.futures.process.ProcessPoolExecutor",
)  # fmt: skip
_BY_NAME = frozenset({"executor", "pool", "thread_pool", "threadpool", "_executor", "_pool"})
_GROUPS = frozenset({"tg", "nursery", "group", "task_group", "taskgroup"})


class _Started(NamedTuple):
    """What was started: its kind, the call that gives a hold on it, and what runs."""

    what: str
    call: form.Call
    scope: Scope
    target: form.Expr | None


def background_work(project: Project) -> Iterator[BackgroundWork]:
    """All that production code starts, in order of path and position."""
    ordinals = Ordinals()
    found = sorted(_started(project), key=lambda s: (s.scope.module.path, s.call.start))
    for started in found:
        function = around(started.scope)
        care, evidence = _Looked(project, started).after()
        yield BackgroundWork(
            function,
            started.what,
            ordinals.next(function, started.what),
            started.scope.module.location(started.call),
            started.scope.module.role,
            care,
            evidence,
        )


def _started(project: Project) -> Iterator[_Started]:
    for call, scope in project.calls_named(*_TASKS, "Thread", "Timer", "Process", "submit", "run_in_executor"):
        if scope.module.role is not Role.PROD or offline_reason(scope) is not None:
            continue
        name = last_name(call.func) or ""
        value = project.infer(call.func, scope)
        known = value.name if isinstance(value, External) else ""
        first = call.positional[0] if call.positional else None
        receiver = last_name(call.func.value) or "" if isinstance(call.func, form.Attr) else ""
        if name in _TASKS:
            if known.startswith("asyncio.") or (value is None and receiver.endswith("loop")):
                yield _Started(name, call, scope, first)
        elif known in _THREADS:
            yield _Started(name, call, scope, call.keyword("target") or (first if name == "Timer" else None))
        elif name == "submit" and (known.startswith(_EXECUTORS) or (value is None and receiver.lower() in _BY_NAME)):
            yield _Started(name, call, scope, first)
        elif name == "run_in_executor" and (known.startswith("asyncio.") or receiver.endswith("loop")):
            yield _Started(name, call, scope, call.positional[1] if len(call.positional) > 1 else None)
    for cls in project.classes:
        if cls.module.role is Role.PROD and project.is_subclass(cls, *_THREADS):
            yield from (
                _Started(cls.name, call, scope, None)
                for call, scope in project.calls_named(cls.name)
                if scope.module.role is Role.PROD and project.infer(call.func, scope) is cls
            )


class _Looked:
    """One look at what becomes of one of them."""

    def __init__(self, project: Project, started: _Started) -> None:
        self._project = project
        self._started = started
        self._module = started.scope.module
        self._nodes = list(form.walk_body(started.scope.body))

    def after(self) -> tuple[Care, tuple[Evidence, ...]]:
        """Who looks after it, and what shows that."""
        started = self._started
        if self._is_of_group():
            return Care.GROUP, (self._module.evidence(started.call, "the group waits for it"),)
        held = self._held()
        if held is not None:
            return held
        if not self._is_task and (daemon := started.call.keyword("daemon")) is not None:
            return Care.DAEMON, (self._module.evidence(daemon, "whether the process waits for it is decided"),)
        shown = (self._module.evidence(started.call, "nobody keeps hold of it"),)
        if started.what in _TASKS:
            return Care.NOBODY, shown
        target = self._target()
        if target is None:
            return Care.UNKNOWN, shown
        handling = next((s for s in target.node.body if isinstance(s, form.Try) and s.handlers), None)
        if handling is None:
            loops = (s for s in target.node.body if isinstance(s, form.While | form.For | form.With))
            inner = (s for loop in loops for s in loop.body)
            handling = next((s for s in inner if isinstance(s, form.Try) and s.handlers), None)
        if handling is not None:
            place = target.module.evidence(handling.handlers[0], f"`{target.name}` handles its failures")
            return Care.HANDLED, (place,)
        return Care.NOBODY, shown

    def _is_of_group(self) -> bool:
        func = self._started.call.func
        value = self._project.infer(func, self._started.scope)
        is_known = isinstance(value, External) and value.name.startswith("asyncio.TaskGroup.")
        return is_known or (isinstance(func, form.Attr) and last_name(func.value) in _GROUPS)

    @property
    def _is_task(self) -> bool:
        return self._started.what in _TASKS

    def _held(self) -> tuple[Care, tuple[Evidence, ...]] | None:
        """What keeps hold of it; None where nothing does."""
        call = self._started.call
        for node in self._nodes:
            match node:
                case form.ExprStmt(value=value) if value is call or _starts(value, call):
                    return None
                case form.Await(value=value) if value is call:
                    return Care.AWAITED, (self._module.evidence(node, "it is awaited"),)
                case form.Assign(value=value, targets=[form.Name(id=name)]) if value is call:
                    return self._variable(name, node)
        return Care.KEPT, (self._module.evidence(call, "what it gives is kept, or handed on"),)

    def _variable(self, name: str, assigned: form.Assign) -> tuple[Care, tuple[Evidence, ...]] | None:
        if name in self._started.scope.globals:
            return Care.KEPT, (self._module.evidence(assigned, "a global keeps it"),)
        starting = {
            id(n.func.value)
            for n in self._nodes
            if isinstance(n, form.Call) and isinstance(n.func, form.Attr) and n.func.attr == "start"
        }
        for node in self._nodes:
            if (
                isinstance(node, form.Name)
                and node.id == name
                and node.start > assigned.end
                and id(node) not in starting
            ):
                return Care.KEPT, (self._module.evidence(node, f"`{name}` is used further on"),)
        if any(isinstance(n, form.Yield) and n.start > assigned.end for n in self._nodes):
            return Care.KEPT, (self._module.evidence(assigned, f"`{name}` lives as long as what yields here"),)
        if self._started.scope.function is None:
            return Care.KEPT, (self._module.evidence(assigned, "the module keeps it"),)
        return None

    def _target(self) -> FunctionSymbol | None:
        node = self._started.target
        if node is None:
            made = self._project.infer(self._started.call.func, self._started.scope)
            return self._project.method(made, "run") if isinstance(made, ClassSymbol) else None
        match self._project.infer(node, self._started.scope):
            case FunctionSymbol() as function:
                return function
            case BoundMethod(function=function):
                return function
            case Instance(cls=ClassSymbol() as cls):
                return self._project.method(cls, "__call__")
        return None


def _starts(node: form.Expr, call: form.Call) -> bool:
    """`Thread(target=work).start()`."""
    return (
        isinstance(node, form.Call)
        and isinstance(node.func, form.Attr)
        and node.func.attr == "start"
        and node.func.value is call
    )
