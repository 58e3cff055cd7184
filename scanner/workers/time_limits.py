"""What ends tasks that hang, by library: defaults, what all tasks are told, and what single ones are."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from assay.scanner.dataflow.constants import definitions, list_items
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task, TaskOption
from assay.scanner.model.worker import TimeLimit
from assay.scanner.readers.python import form
from assay.scanner.work.references import library_callee, option_of
from assay.scanner.workers.celery_options import POOL, TIME_LIMITS, Application, CeleryOptions

OWN_LIMITS: Mapping[str, tuple[str, ...]] = {
    "Celery": ("time_limit", "soft_time_limit"),
    "RQ": ("job_timeout", "timeout"),
    "Dramatiq": ("time_limit",),
    "arq": ("timeout",),
}
"""By which names a task is told how long it may run."""
_DEFAULTS = {"RQ": "180 seconds", "Dramatiq": "10 minutes", "arq": "300 seconds"}
"""Of libraries that end every task, whatever they are told (rq 3.0, dramatiq 1.17, arq 0.28)."""
_ENDLESS: Mapping[str, frozenset[str]] = {
    "RQ": frozenset({"-1", "'-1'"}),
    "Dramatiq": frozenset({"inf"}),
    "arq": frozenset({"inf"}),
}
_LIMIT_FLAG = re.compile(r"--(?:soft-)?time-limit[= ]\S+")
_POOL_FLAG = re.compile(r"(?:\s-P|--pool)[= ]?\s*['\"]?(?:gevent|eventlet|threads|solo)\b")
_COOPERATIVE = frozenset({"gevent", "eventlet", "threads", "solo"})
"""Pools whose tasks nothing can interrupt while they wait in a call."""
_RQ_PLACES = {"Queue": ("default_timeout",), "get_queue": ("default_timeout",), "RQ": ("default_timeout",)}
_DRAMATIQ_BROKERS = ("RabbitmqBroker", "RedisBroker", "SQSBroker")


def time_limits(gathered: Gathered, celery: CeleryOptions) -> Iterator[TimeLimit]:
    """Of all libraries that tasks of the tree run with."""
    return _Reader(gathered, celery).all()


class _Reader:
    def __init__(self, gathered: Gathered, celery: CeleryOptions) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._celery = celery
        self._ordinals = Ordinals()
        self._tasks = [t for t in gathered.tasks if t.role is Role.PROD]

    def all(self) -> Iterator[TimeLimit]:
        """Those for all tasks, then those of single ones."""
        for application in self._celery.applications:
            yield self._of_celery(application)
        used = {task.framework for task in self._tasks}
        if "RQ" in used:
            yield from self._of_rq()
        if "Dramatiq" in used:
            yield from self._of_dramatiq()
        if "arq" in used:
            yield from self._of_arq()
        yield from self._of_django_q()
        yield from self._defaults()
        for task in self._tasks:
            stated = _own(task)
            if stated is not None:
                yield self._of_task(task, stated)

    def _defaults(self) -> Iterator[TimeLimit]:
        """What libraries do by themselves, once for each service that uses them."""
        seen: set[tuple[str, str]] = set()
        for task in self._tasks:
            service = self._gathered.owners.of(task.location.path)
            key = (task.framework, service.root if service is not None else "")
            if task.framework in _DEFAULTS and key not in seen:
                seen.add(key)
                text = f"{task.framework} ends what runs longer than {_DEFAULTS[task.framework]}"
                bound = Option(True, (Evidence(task.location, text),), is_default=True)
                yield TimeLimit(task.framework, "by default", 1, task.location, task.role, bound)

    def _of_celery(self, application: Application) -> TimeLimit:
        stated = self._celery.stated(application, *TIME_LIMITS)
        limits = [m for value in stated for m in self._celery.meanings(value)]
        set_to = [m.evidence for m in limits if m.value not in (None, 0)]
        limited = (*set_to, *self._celery.flags(application, _LIMIT_FLAG))
        elsewhere = self._celery.elsewhere(application)
        if limited:
            bound = Option(True, limited[:2])
        elif elsewhere is not None:
            bound = Option(None, (elsewhere,))
        else:
            bound = Option(False, (application.place,))
        return self._limit("Celery", Sited(application.call, application.scope), bound, self._pool(application))

    def _pool(self, application: Application) -> Evidence | None:
        """Where a pool is chosen that can't interrupt a task."""
        flags = self._celery.flags(application, _POOL_FLAG)
        stated = self._celery.stated(application, POOL, "celeryd_pool")
        chosen = (m for value in stated for m in self._celery.meanings(value))
        found = (m.evidence for m in chosen if isinstance(m.value, str) and m.value in _COOPERATIVE)
        return next(chain(flags, found), None)

    def _of_rq(self) -> Iterator[TimeLimit]:
        """Queues that say how long their jobs may run, and Django's table of queues."""
        for call, scope in self._project.calls_named(*_RQ_PLACES):
            stated = call.keyword("default_timeout")
            callee = library_callee(call.func, scope, self._project) if stated is not None else None
            if stated is not None and (callee or "").startswith(("rq.", "django_rq.", "flask_rq2.")):
                yield self._limit("RQ", Sited(call, scope), self._bound("RQ", "default_timeout", Sited(stated, scope)))
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("RQ_QUEUES", ()) if module.role is Role.PROD else ():
                for node in form.walk(binding.value) if binding.value is not None else ():
                    for value in _items(node, "DEFAULT_TIMEOUT"):
                        site = Sited(value, binding.scope)
                        yield self._limit("RQ", site, self._bound("RQ", "DEFAULT_TIMEOUT", site))

    def _of_dramatiq(self) -> Iterator[TimeLimit]:
        """Brokers: a list of middleware that they are given takes the place of the usual one, time limit included."""
        for call, scope in self._project.calls_named("TimeLimit"):
            stated = call.keyword("time_limit")
            if stated is not None and (library_callee(call.func, scope, self._project) or "").startswith("dramatiq."):
                bound = self._bound("Dramatiq", "time_limit", Sited(stated, scope))
                yield self._limit("Dramatiq", Sited(call, scope), bound)
        for call, scope in self._project.calls_named(*_DRAMATIQ_BROKERS):
            stated = call.keyword("middleware")
            if stated is not None and (library_callee(call.func, scope, self._project) or "").startswith("dramatiq."):
                yield self._limit("Dramatiq", Sited(call, scope), self._of_middleware(stated, scope))

    def _of_middleware(self, stated: form.Expr, scope: Scope) -> Option:
        place = scope.module.evidence(stated, "this middleware takes the place of the usual one")
        items = list_items(stated, scope, self._project)
        names = [last_name(n) for node, _ in items for n in form.walk(node) if isinstance(n, form.Name | form.Attr)]
        shapes = [stated, *(node for node, _ in definitions(stated, scope, self._project))]
        is_plain = bool(items) and all(isinstance(n, form.Call) for n, _ in items)
        is_plain = is_plain and any(isinstance(s, form.Display) for s in shapes)
        if "TimeLimit" in names:
            return Option(True, (place,))
        return Option(False if is_plain and "default_middleware" not in names else None, (place,))

    def _of_arq(self) -> Iterator[TimeLimit]:
        """Classes of workers' settings."""
        for cls in self._project.classes:
            if cls.module.role is Role.PROD and cls.name.endswith("WorkerSettings"):
                stated = self._project.class_attribute(cls, "job_timeout")
                if stated is not None:
                    site = Sited(*stated)
                    yield self._limit("arq", site, self._bound("arq", "job_timeout", site))

    def _of_django_q(self) -> Iterator[TimeLimit]:
        """Clusters, which end no task unless they are told to."""
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("Q_CLUSTER", ()) if module.role is Role.PROD else ():
                value = binding.value
                if not isinstance(value, form.Dict) or None in value.keys:
                    continue  # what it holds is elsewhere too
                stated = next(iter(_items(value, "timeout")), None)
                place = module.evidence(value, "the cluster is told no timeout")
                bound = Option(False, (place,))
                if stated is not None:
                    bound = self._bound("Django Q", "timeout", Sited(stated, binding.scope))
                yield self._limit("Django Q", Sited(value, binding.scope), bound)

    def _of_task(self, task: Task, stated: TaskOption) -> TimeLimit:
        ordinal = self._ordinals.next(task.name, task.framework)
        return TimeLimit(
            task.framework,
            task.handler,
            ordinal,
            stated.evidence.location,
            task.role,
            _judged(task.framework, stated),
            task.name,
        )

    def _bound(self, framework: str, name: str, value: Sited) -> Option:
        return _judged(framework, option_of(name, value.node, value.scope, self._project))

    def _limit(self, framework: str, site: Sited, bound: Option, doubt: Evidence | None = None) -> TimeLimit:
        function = around(site.scope)
        ordinal = self._ordinals.next(function, framework)
        location = site.module.location(site.node)
        return TimeLimit(framework, function, ordinal, location, site.module.role, bound, doubt=doubt)


def _own(task: Task) -> TaskOption | None:
    """What the task says of its own time, one without an end before others; None for what it leaves to its worker."""
    stated = [o for o in task.options if o.name in OWN_LIMITS.get(task.framework, ()) and o.value not in ("None", "0")]
    endless = _ENDLESS.get(task.framework, frozenset())
    return next((o for o in stated if o.value in endless), stated[0] if stated else None)


def _judged(framework: str, stated: TaskOption) -> Option:
    endless = _ENDLESS.get(framework, frozenset())
    is_none = stated.value == "None" and framework in ("arq", "Django Q")
    return Option(not is_none and stated.value not in endless, (stated.evidence,))


def _items(node: form.Expr | form.Stmt, key: str) -> Iterable[form.Expr]:
    """What a dict display, or `dict(...)`, holds under the key."""
    match node:
        case form.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            return [value for name, value in pairs if isinstance(name, form.Const) and name.value == key]
        case form.Call(args=args) if last_name(node.func) == "dict":
            return [argument.value for argument in args if argument.name == key]
    return []
