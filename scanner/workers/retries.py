"""Tasks that ask other machines, and what becomes of them when one doesn't answer."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.waiting import Wait
from assay.scanner.model.work import Task
from assay.scanner.model.worker import Retrying, TaskRetry
from assay.scanner.readers.python import form
from assay.scanner.waiting.calls import DirectCalls, Step
from assay.scanner.waiting.chains import Chains
from assay.scanner.waiting.waits import Site, Waits
from assay.scanner.work.references import library_callee

_FRAMEWORKS = frozenset({"Celery", "RQ", "Dramatiq", "arq", "Huey"})
_HTTP = ("requests", "httpx", "urllib", "urllib3", "http", "aiohttp")
"""Packages whose clients try once; those of clouds try again by themselves."""
_AGAIN = frozenset({"retry", "retries", "retrying", "attempt", "attempts", "tries", "backoff", "tenacity", "stamina"})
"""Words of code that tries again itself."""
_ADAPTERS = ("HTTPAdapter", "HTTPTransport", "AsyncHTTPTransport")
_OPTIONS = frozenset({"retry", "retries", "autoretry_for"})
_DECORATORS = ("task", "shared_task", "job", "partial", "db_task")
_SENDING = ("delay", "apply_async", "s", "si", "signature", "subtask", "delay_on_commit", "apply_async_on_commit")
_HANDING = ("on_commit", "partial", "map", "starmap", "chunks", "add_task", "connect", "chord", "chain", "group")
_STORED = frozenset({"status", "state", "error", "failed", "failure"})
_SAVING = frozenset({"save", "update", "commit", "asave", "aupdate", "bulk_update"})


def task_retries(gathered: Gathered) -> Iterator[TaskRetry]:
    """One of each task of a library that may be told to try again."""
    tasks = [t for t in gathered.tasks if t.role is Role.PROD and t.framework in _FRAMEWORKS]
    if not tasks:
        return
    yield from _Reader(gathered, tasks).all()


class _Reader:
    def __init__(self, gathered: Gathered, tasks: list[Task]) -> None:
        self._project = gathered.project
        self._calls = DirectCalls(gathered.project)
        self._waits = Waits(gathered.project, gathered.libraries, self._calls)
        self._tasks = tasks
        paths = {task.location.path for task in tasks}
        modules = (self._project.modules[path] for path in sorted(paths))
        self._functions = {f.id: f for module in modules for f in module.functions}

    def all(self) -> Iterator[TaskRetry]:
        """In order of the tasks."""
        handlers = [f for t in self._tasks if (f := self._functions.get(t.handler)) is not None]
        chains = Chains(handlers, self._calls, self._goes_on, self._remote)
        for task in self._tasks:
            function = self._functions.get(task.handler)
            remote = next(chains.delays(function, task.name), None) if function is not None else None
            if function is None or remote is None:
                yield self._made(task, (), Retrying.UNKNOWN, ())
                continue
            retrying, evidence = self._retrying(task, function)
            if retrying is Retrying.NONE and (handled := self._handled(function, remote.steps[0])) is not None:
                retrying, evidence = handled
            elif retrying is Retrying.NONE and task.framework == "Celery" and not self._is_sent(task, function):
                retrying, evidence = Retrying.UNSENT, ()
            yield self._made(task, remote.steps, retrying, evidence)

    def _made(
        self, task: Task, remote: tuple[Evidence, ...], retrying: Retrying, evidence: tuple[Evidence, ...]
    ) -> TaskRetry:
        return TaskRetry(task.framework, task.name, task.location, task.role, remote, retrying, evidence, task.schedule)

    def _goes_on(self, step: Step) -> bool:
        return self._calls.of(step.caller).is_waited_for(step) and not _tries_again(step.callee)

    def _remote(self, function: FunctionSymbol) -> Iterator[Site]:
        """Calls of what tries once: web requests and mails."""
        if any(call.args for call, _ in function.module.calls_named(_ADAPTERS)):
            return  # its sessions try again
        for site in self._waits.of(function):
            is_http = site.wait is Wait.NETWORK and site.name.partition(".")[0] in _HTTP
            if is_http or site.wait is Wait.MAIL:
                yield site

    def _retrying(self, task: Task, function: FunctionSymbol) -> tuple[Retrying, tuple[Evidence, ...]]:
        match task.framework:
            case "Celery":
                found = self._of_celery(task, function)
            case "RQ":
                found = self._of_rq(task)
            case "Huey":
                found = self._of_huey(task)
            case "Dramatiq":
                stated = task.option("max_retries")
                ends = {"0": Retrying.NONE, "None": Retrying.ENDLESS}
                kind = ends.get(stated.value or "", Retrying.BOUNDED) if stated is not None else Retrying.BOUNDED
                found = kind, (stated.evidence,) if stated is not None else ()
            case _:  # arq tries again what raises its `Retry`, and what a worker left undone
                found = Retrying.BOUNDED, ()
        if found[0] is not Retrying.NONE:
            return found
        if _tries_again(function):
            return Retrying.BOUNDED, (Evidence(function.location, "it tries again itself"),)
        computed = task.option("**")
        unsure = (computed.evidence,) if computed is not None else self._wrappers
        return (Retrying.UNKNOWN, unsure) if unsure else found

    def _of_celery(self, task: Task, function: FunctionSymbol) -> tuple[Retrying, tuple[Evidence, ...]]:
        """By exceptions that are named, or by hand; backoff alone does nothing."""
        limit = task.option("max_retries")
        by_hand = [n for n in function.nodes if isinstance(n, form.Call) and last_name(n.func) == "retry"]
        by_hand = [c for c in by_hand if isinstance(c.func, form.Attr)]
        named = task.option("autoretry_for")
        if named is None and not by_hand:
            return Retrying.NONE, ()
        place = named.evidence if named is not None else function.module.evidence(by_hand[0], "it tries again here")
        stated = [c.keyword("max_retries") for c in by_hand]
        is_endless = any(isinstance(s, form.Const) and s.value is None for s in stated)
        if is_endless or (limit is not None and limit.value == "None" and not any(stated)):
            return Retrying.ENDLESS, (limit.evidence if limit is not None else place,)
        if limit is not None and limit.value == "0":
            return Retrying.NONE, (limit.evidence,)
        return Retrying.BOUNDED, (place,)

    def _of_rq(self, task: Task) -> tuple[Retrying, tuple[Evidence, ...]]:
        """`retry=Retry(max=3, interval=[10, 60])`, which may come from settings."""
        stated = task.option("retry")
        if stated is None or stated.value == "None":
            return Retrying.NONE, ()
        made = self._rq_retries.get((stated.evidence.location.path, stated.evidence.location.line))
        if made is None:
            return Retrying.UNKNOWN, (stated.evidence,)
        has_delay = made.keyword("interval") is not None or len(made.positional) > 1
        return (Retrying.BOUNDED if has_delay else Retrying.AT_ONCE), (stated.evidence,)

    @cached_property
    def _rq_retries(self) -> dict[tuple[str, int], form.Call]:
        calls = self._project.calls_named("Retry")
        places = ((scope.module.location(call), call) for call, scope in calls)
        return {(place.path, place.line): call for place, call in places}

    def _of_huey(self, task: Task) -> tuple[Retrying, tuple[Evidence, ...]]:
        stated = task.option("retries")
        if stated is None or stated.value == "0":
            return Retrying.NONE, ()
        delay = task.option("retry_delay", "retry_backoff")
        return (Retrying.BOUNDED if delay is not None else Retrying.AT_ONCE), (stated.evidence,)

    def _is_sent(self, task: Task, function: FunctionSymbol) -> bool:
        return function.name in self._sent or last_part(task.name) in self._sent

    @cached_property
    def _sent(self) -> frozenset[str]:
        """Functions that some code sends to workers; others may run by a schedule that is kept elsewhere."""
        senders = [call.func for call, _ in self._project.calls_named(*_SENDING)]
        handing = (argument.value for call, _ in self._project.calls_named(*_HANDING) for argument in call.args)
        senders += [node for node in handing if isinstance(node, form.Attr) and node.attr in _SENDING]
        names = {last_name(func.value) or "" for func in senders if isinstance(func, form.Attr)}
        texts = (call.positional[:1] for call, _ in self._project.calls_named("send_task", "signature"))
        names |= {last_part(str(n.value)) for given in texts for n in given if isinstance(n, form.Const)}
        return frozenset(names)

    @cached_property
    def _wrappers(self) -> tuple[Evidence, ...]:
        """Where the project makes a decorator of its own that tries again: no task shows that it is under it."""
        return tuple(
            scope.module.evidence(call, "tasks that are made by this are tried again")
            for call, scope in self._project.calls_named(*_DECORATORS)
            if scope.module.role is Role.PROD
            and any(argument.name in _OPTIONS for argument in call.args)
            and (scope.function is not None or last_name(call.func) == "partial")
            and (last_name(call.func) == "partial" or library_callee(call.func, scope, self._project) is not None)
        )[:2]

    def _handled(self, function: FunctionSymbol, first: Evidence) -> tuple[Retrying, tuple[Evidence, ...]] | None:
        """What the task does itself where the call fails: says so to who asked, or keeps it for somebody."""
        for node in function.nodes:
            if not isinstance(node, form.Try):
                continue
            span = function.module.span(node.body[0].start, node.body[-1].end)
            if first.location.path != span.path or not span.line <= first.location.line <= span.end_line:
                continue
            for handler in node.handlers:
                for inner in form.walk_body(handler.body):
                    if isinstance(inner, form.Return) and not isinstance(inner.value, form.Const | None):
                        return Retrying.TOLD, (function.module.evidence(inner, "who asked for it is told"),)
                    if isinstance(inner, form.Call) and last_name(inner.func) in _SAVING and _keeps(handler.body):
                        return Retrying.KEPT, (function.module.evidence(inner, "the failure is stored"),)
        return None


def _keeps(body: list[form.Stmt]) -> bool:
    """Whether a failure is written into a state."""
    targets = (t for n in form.walk_body(body) if isinstance(n, form.Assign) for t in n.targets)
    names = [last_name(t) or "" for t in targets if isinstance(t, form.Attr)]
    keywords = (a.name or "" for n in form.walk_body(body) if isinstance(n, form.Call) for a in n.args)
    return any(not _STORED.isdisjoint(words(name)) for name in [*names, *keywords])


def _tries_again(function: FunctionSymbol) -> bool:
    """By a decorator, or in a loop that counts its attempts."""
    decorators = (d.func if isinstance(d, form.Call) else d for d in function.decorators)
    names = [form.dotted(d) or "" for d in decorators]
    loops = (n for n in function.nodes if isinstance(n, form.For | form.While))
    for loop in loops:
        asked = loop.target if isinstance(loop, form.For) else loop.test
        names += [n.id for n in form.walk(asked) if isinstance(n, form.Name)]
        if isinstance(loop, form.For):
            names += [last_name(n.func) or "" for n in form.walk(loop.iter) if isinstance(n, form.Call)]
    return any(not _AGAIN.isdisjoint(words(name.replace(".", "_"))) for name in names)
