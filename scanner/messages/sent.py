"""Each call of production code that sends a message, and what it puts in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from assay.scanner.dataflow.constants import definitions, list_items, string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.frameworks.brokers.sources import sources
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.messages.publishing import (
    ENQUEUING,
    ENVELOPES,
    IN_LISTS,
    ON_TASKS,
    OPTIONS_OF_JOBS,
    PUBLISHING,
    Enqueuing,
    Publishing,
)
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form
from assay.scanner.work.references import functions_of, library_callee

_SIGNATURES = frozenset({"s", "si", "signature", "subtask"})
_SIGNING = _SIGNATURES | {"set", "options", "configure"}
_OWN_METHODS = {
    "Celery": frozenset(
        {"delay", "apply_async", "delay_on_commit", "apply_async_on_commit", "s", "si", "signature", "subtask"}
    ),
    "RQ": frozenset({"delay", "enqueue", "schedule"}),
    "Dramatiq": frozenset({"send", "send_with_options", "message", "message_with_options"}),
    "Huey": frozenset({"schedule", "s"}),
}
"""By which methods tasks of a library are sent; any of another library's."""
_KEEPING = frozenset({"fastapi", "starlette", "flask", "quart", "aiohttp", "sanic", "litestar"})
_OTHERS = {"kiq": "taskiq", "defer": "procrastinate", "defer_async": "procrastinate"}
"""Methods of tasks by the package that has them, for libraries whose tasks aren't known otherwise."""
_QUEUES = ("queue", "queue_name", "_queue_name", "cluster", "routing_key")


@dataclass(frozen=True, slots=True, eq=False)
class Given:
    """A value that travels, and the parameter or key that it travels under."""

    name: str | None
    node: form.Expr
    scope: Scope


@dataclass(frozen=True, slots=True, eq=False)
class Sent:
    """One call that sends. `handler` is the function that runs, where the message asks for one that is in the tree."""

    call: form.Call
    scope: Scope
    library: str
    task: Task | None = None
    handler: FunctionSymbol | None = None
    destination: str | None = None
    given: tuple[Given, ...] = ()


def sent_messages(gathered: Gathered) -> Iterator[Sent]:
    """In order of path and position, by kinds: to tasks, by enqueuing, by publishing."""
    yield from _Finder(gathered).all()


def queued_messages(gathered: Gathered) -> Iterator[Sent]:
    """Those that are handed to a queue or a broker, and not to a task itself."""
    yield from _Finder(gathered).queued()


class _Finder:
    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._tasks = gathered.tasks

    @cached_property
    def _by_handler(self) -> dict[str, Task]:
        return {task.handler: task for task in self._tasks}

    @cached_property
    def _by_name(self) -> dict[str, Task]:
        found = {task.handler.rpartition(":")[2]: task for task in self._tasks}
        return found | {task.handler.replace(":", "."): task for task in self._tasks} | {t.name: t for t in self._tasks}

    @cached_property
    def _handlers(self) -> dict[str, FunctionSymbol]:
        modules = {self._project.modules[task.location.path] for task in self._tasks}
        return {f.id: f for module in modules for f in module.functions if f.id in self._by_handler}

    def all(self) -> Iterator[Sent]:
        """Test code doesn't count."""
        yield from self._of_other_tasks()
        if self._tasks:
            yield from self._of_tasks()
        yield from self.queued()

    def queued(self) -> Iterator[Sent]:
        """Calls of Huey's tasks, jobs that are enqueued, and what is published."""
        yield from self._of_huey()
        for call, scope in self._calls(*ENQUEUING):
            found = self._enqueued(call, scope, ENQUEUING[last_name(call.func) or ""])
            if found is not None:
                yield found
        for call, scope in self._calls(*PUBLISHING):
            way = self._way(call, scope)
            if way is not None:
                yield self._published(call, scope, way)

    def _calls(self, *names: str) -> Iterator[tuple[form.Call, Scope]]:
        """Calls of the names, `partial(task.delay, key)` included."""
        for call, scope in self._project.calls_named(*names):
            if scope.module.role is Role.PROD:
                yield call, scope
        for partial, scope in self._partials:
            func = partial.args[0].value
            if isinstance(func, form.Attr) and func.attr in names:
                yield form.Call(start=partial.start, end=partial.end, func=func, args=partial.args[1:]), scope

    @cached_property
    def _partials(self) -> list[tuple[form.Call, Scope]]:
        found = self._project.calls_named("partial")
        return [(call, scope) for call, scope in found if call.args and scope.module.role is Role.PROD]

    # --- tasks ---

    def _of_tasks(self) -> Iterator[Sent]:
        """`send_mail.delay(user.id)`, `resize.send_with_options(args=(key,), delay=1000)`."""
        for call, scope in self._calls(*sorted(ON_TASKS)):
            if not isinstance(call.func, form.Attr) or _is_described(call.func.value):
                continue
            task = self._task_of(call.func.value, scope)
            if task is None or call.func.attr not in _OWN_METHODS.get(task.framework, ON_TASKS):
                continue
            yield self._sent(call, scope, task, call.args, in_lists=call.func.attr in IN_LISTS)

    def _of_huey(self) -> Iterator[Sent]:
        """A call of a Huey's task sends it."""
        names = {last_part(t.handler.rpartition(":")[2]): t for t in self._tasks if t.framework == "Huey"}
        for call, scope in self._calls(*sorted(names)) if names else ():
            function = self._project.infer(call.func, scope)
            task = self._by_handler.get(function.id) if isinstance(function, FunctionSymbol) else None
            if task is not None and task.framework == "Huey":
                yield self._sent(call, scope, task, call.args)

    def _of_other_tasks(self) -> Iterator[Sent]:
        """`await resize.kiq(key)` of taskiq, `resize.defer(key=key)` of Procrastinate: by methods of theirs alone."""
        there = {method: name for method, name in _OTHERS.items() if name in self._project.imported_packages}
        for call, scope in self._calls(*sorted(there)) if there else ():
            function = self._project.infer(call.func.value, scope) if isinstance(call.func, form.Attr) else None
            if isinstance(function, FunctionSymbol) and function.id not in self._by_handler:
                given = tuple(self._given(call.args, scope, function))
                yield Sent(call, scope, there[last_name(call.func) or ""], None, function, None, given)

    def _task_of(self, node: form.Expr, scope: Scope) -> Task | None:
        """The task that a method is called on, through signatures: `send_mail.s(1).set(queue="mails")`."""
        while isinstance(node, form.Call) and isinstance(node.func, form.Attr) and node.func.attr in _SIGNING:
            node = node.func.value
        value = self._project.infer(node, scope)
        if isinstance(value, BoundMethod):
            value = value.function
        if isinstance(value, FunctionSymbol):
            return self._by_handler.get(value.id)
        if isinstance(value, Instance) and value.cls is not None:
            run = self._project.method(value.cls, "run") or self._project.method(value.cls, "perform")
            return self._by_handler.get(run.id) if run is not None else None
        name = last_name(node) if value is None and isinstance(node, form.Name | form.Attr) else None
        return self._by_name.get(name) if name is not None else None

    def _sent(
        self, call: form.Call, scope: Scope, task: Task, args: Sequence[form.Arg], *, in_lists: bool = False
    ) -> Sent:
        handler = self._handlers.get(task.handler)
        given = tuple(self._in_lists(args, scope, handler) if in_lists else self._given(args, scope, handler))
        stated = next((v for name in _QUEUES if (v := call.keyword(name)) is not None), None) if in_lists else None
        queue = string_value(stated, scope, self._project) if stated is not None else task.queue
        return Sent(call, scope, task.framework, task, handler, queue, given)

    def _enqueued(self, call: form.Call, scope: Scope, way: Enqueuing) -> Sent | None:
        """`queue.enqueue(send_mail, user.id)`, `app.send_task("mails.send", args=[user.id])`."""
        callee = library_callee(call.func, scope, self._project)
        package = callee.partition(".")[0] if callee is not None else ""
        is_known = package in way.packages
        if not is_known and not (
            (callee is None or _is_kept(callee))
            and way.is_telling
            and not self._project.imported_packages.isdisjoint(way.packages)
        ):
            return None
        named = next((v for name in way.names if (v := call.keyword(name)) is not None), None)
        positional = call.positional
        function = named if named is not None else next(iter(positional[way.function_at :]), None)
        if function is None:
            return None
        found = functions_of(function, scope, self._project)
        handler = found[0] if found else None
        text = string_value(function, scope, self._project)
        task = self._by_handler.get(handler.id) if handler is not None else self._by_name.get(text or "")
        if handler is None and task is not None:
            handler = self._handlers.get(task.handler)
        if way.is_telling and not is_known and task is None and text is None:
            return None
        start = 0 if named is not None else way.function_at + 1
        taken = {id(node) for node in positional[:start]}
        rest = [a for a in call.args if id(a.value) not in taken and (a.name is None or a.name not in way.names)]
        given = self._in_lists(rest, scope, handler) if way.in_lists else self._given(rest, scope, handler, jobs=True)
        stated = next((v for name in _QUEUES if (v := call.keyword(name)) is not None), None)
        queue = string_value(stated, scope, self._project) if stated is not None else task.queue if task else None
        return Sent(call, scope, way.library, task, handler, queue, tuple(given))

    # --- brokers ---

    def _way(self, call: form.Call, scope: Scope) -> Publishing | None:
        if not isinstance(call.func, form.Attr):
            return None
        name = library_callee(call.func, scope, self._project)
        for way in PUBLISHING[call.func.attr]:
            if name is not None and name.partition(".")[0] in way.packages and way.within in name:
                return way
        if not _is_kept(name) and (name is not None or self._project.infer(call.func, scope) is not None):
            return None
        receiver = words(_key(call.func.value) or "")[-1:]
        for way in PUBLISHING[call.func.attr]:
            is_there = not self._project.imported_packages.isdisjoint(way.packages)
            if is_there and receiver and receiver[0] in way.receivers:
                return way
        return None

    def _published(self, call: form.Call, scope: Scope, way: Publishing) -> Sent:
        positional = call.positional
        stated = [v for name in way.to_names if (v := call.keyword(name)) is not None]
        if not stated and way.to is not None:
            stated = positional[way.to : way.to + 1]
        named = [source for node in stated for source in sources(node, scope, self._project)]
        values = [Given(None, positional[at], scope) for at in way.payload if at < len(positional)]
        values += [Given(a.name, a.value, scope) for a in call.args if a.name in way.payload_names]
        spread = [given for a in call.args if a.star == 2 for given in self._items(a.value, scope)]
        values += [given for given in spread if given.name in way.payload_names]
        given = tuple(inner for value in values for inner in self._opened(value))
        return Sent(call, scope, way.library, destination=named[0] if named else None, given=given)

    def _opened(self, given: Given, depth: int = 3) -> Iterator[Given]:
        """What is in an envelope: `Message(body, headers=...)`, or a name for one."""
        node = given.node
        if isinstance(node, form.Call) and last_name(node.func) in ENVELOPES:
            for argument in node.args:
                yield Given(argument.name, argument.value, given.scope)
        elif isinstance(node, form.Name) and depth and (made := self._envelope(node, given.scope)) is not None:
            yield from self._opened(Given(given.name, *made), depth - 1)
        else:
            yield given

    def _envelope(self, node: form.Name, scope: Scope) -> tuple[form.Expr, Scope] | None:
        for value, around in definitions(node, scope, self._project):
            if isinstance(value, form.Call) and last_name(value.func) in ENVELOPES:
                return value, around
        return None

    # --- arguments ---

    def _given(
        self, args: Sequence[form.Arg], scope: Scope, handler: FunctionSymbol | None, *, jobs: bool = False
    ) -> Iterator[Given]:
        """What stands there as in a call of the function itself."""
        place = 0
        for argument in args:
            if argument.star == 2:
                yield from self._items(argument.value, scope, jobs=jobs)
            elif argument.star == 1:
                for node, around in list_items(argument.value, scope, self._project):
                    yield Given(_parameter(handler, place), node, around)
                    place += 1
            elif argument.name is None:
                yield Given(_parameter(handler, place), argument.value, scope)
                place += 1
            elif not (jobs and argument.name in OPTIONS_OF_JOBS):
                if jobs and argument.name in ("args", "kwargs"):
                    yield from self._in_lists([argument], scope, handler)
                else:
                    yield Given(argument.name, argument.value, scope)

    def _in_lists(self, args: Sequence[form.Arg], scope: Scope, handler: FunctionSymbol | None) -> Iterator[Given]:
        """`args=(user.id,)`, `kwargs={"user_id": user.id}`, by name or at the first two places."""
        bare = [a.value for a in args if a.name is None and not a.star][:2]
        named = {a.name: a.value for a in args if a.name}
        positional = named.get("args", bare[0] if bare else None)
        keywords = named.get("kwargs", bare[1] if len(bare) > 1 else None)
        if positional is not None:
            for place, (node, around) in enumerate(list_items(positional, scope, self._project)):
                yield Given(_parameter(handler, place), node, around)
        if keywords is not None:
            yield from self._items(keywords, scope)

    def _items(self, node: form.Expr, scope: Scope, *, jobs: bool = False) -> Iterator[Given]:
        """The items of a mapping, with what is put into it by name later."""
        found: list[Given] = []
        for value, around in [(node, scope), *self._known(node, scope)]:
            if isinstance(value, form.Dict):
                pairs = zip(value.keys, value.values, strict=True)
                found += (Given(str(k.value), v, around) for k, v in pairs if isinstance(k, form.Const))
            elif isinstance(value, form.Call) and last_name(value.func) == "dict":
                found += (Given(a.name, a.value, around) for a in value.args if a.name)
        if isinstance(node, form.Name) and scope.function is not None:
            found += _put_into(node, scope.function)
        yield from (given for given in found if not (jobs and given.name in OPTIONS_OF_JOBS))

    def _known(self, node: form.Expr, scope: Scope) -> list[tuple[form.Expr, Scope]]:
        """What a name was given last, in the text before its use."""
        known = definitions(node, scope, self._project)
        before = [pair for pair in known if pair[1] is scope and pair[0].start < node.start]
        return [max(before, key=lambda pair: pair[0].start)] if before else known


def last_display(node: form.Expr, scope: Scope) -> tuple[form.Expr, Scope] | None:
    """The dict or list that a name was given last, in the text before its use; None for anything else."""
    if not isinstance(node, form.Name):
        return None
    given = [b for b in scope.lookup(node.id, node.start) if b.how is How.ASSIGN and b.value is not None]
    before = [b for b in given if b.scope is not scope or b.offset < node.start]
    last = max(before, key=lambda b: b.offset, default=None)
    if last is None or not isinstance(last.value, form.Dict | form.Display):
        return None
    return last.value, last.scope


def _is_kept(name: str | None) -> bool:
    """`request.app.state.producer`: the web framework keeps an object for the project, of which no type is known."""
    return name is not None and name.partition(".")[0] in _KEEPING


def _key(node: form.Expr) -> str | None:
    """`nats` of `app.state.nats` and of `request.app["nats"]`."""
    if isinstance(node, form.Subscript) and isinstance(node.index, form.Const) and isinstance(node.index.value, str):
        return node.index.value
    return last_name(node)


def _is_described(node: form.Expr) -> bool:
    """Whether it is called on a signature, which is a message already: `send_mail.s(1).apply_async()`."""
    while isinstance(node, form.Call) and isinstance(node.func, form.Attr):
        if node.func.attr in _SIGNATURES:
            return True
        node = node.func.value
    return False


def _put_into(node: form.Name, function: FunctionSymbol) -> Iterator[Given]:
    """`params["user"] = user`, in the stretch between the last plain assignment of the name and its use."""
    bound = [b.offset for b in function.scope.lookup(node.id) if b.offset < node.start]
    begin = max(bound, default=0)
    for statement in function.nodes:
        if isinstance(statement, form.Assign) and begin <= statement.start < node.start and statement.value is not None:
            for target in statement.targets:
                match target:
                    case form.Subscript(value=form.Name(id=name), index=form.Const(value=str() as key)) if (
                        name == node.id
                    ):
                        yield Given(key, statement.value, function.scope)


def _parameter(handler: FunctionSymbol | None, place: int) -> str | None:
    """The name of the parameter at the place; a first one that is the task itself, or arq's context, doesn't count."""
    if handler is None:
        return None
    names = [p.name for p in handler.parameters if p.kind is not form.ParamKind.KEYWORD_ONLY]
    if names[:1] in (["self"], ["ctx"], ["task"], ["bind"]):
        names = names[1:]
    return names[place] if place < len(names) else None
