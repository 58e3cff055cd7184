"""Where tasks end that fail each time: by what their library keeps, by what the application states, by who is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property

from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.delivery.consumed import ConsumedFunctions
from assay.scanner.delivery.declarations import Declaration
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.model.delivery import DeadLetterPath, DeadLetters
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.workers.celery_options import IGNORING, RESULTS, STORING_ERRORS, Application, CeleryOptions

_BUILT_IN = {
    "RQ": "RQ keeps failed jobs in its FailedJobRegistry",
    "Dramatiq": "Dramatiq keeps dead messages in a queue of their own",
    "Django Q": "Django Q stores failures in a table",
}
_TRACKERS = frozenset(
    {"sentry_sdk", "raven", "rollbar", "bugsnag", "newrelic", "ddtrace", "honeybadger", "scout_apm", "elasticapm"}
)
_TASKS = ("celery.Task", "celery.app.task.Task", "celery.Celery.Task")
_HOOKS = ("on_job_end", "after_job_end")
_KEEPING = ("keep_result", "keep_result_forever")
_KEPT = frozenset({EffectKind.WRITE, EffectKind.MAIL, EffectKind.QUEUE, EffectKind.REQUEST})


class FailedTasks:
    """Those of one tree."""

    def __init__(
        self, gathered: Gathered, consumed: ConsumedFunctions, celery: CeleryOptions, declared: Sequence[Declaration]
    ) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._consumed = consumed
        self._celery = celery
        self._declared = declared
        self._ordinals = Ordinals()

    def all(self) -> Iterator[DeadLetterPath]:
        """Applications first."""
        for application in self._celery.applications:
            if not application.only_sends:
                yield from self._of_celery(application)
        yield from self._of_libraries()

    def _of_celery(self, application: Application) -> Iterator[DeadLetterPath]:
        """Failed tasks are gone, unless results are kept or somebody is told."""
        service = application.service
        tasks = [t for t in self._consumed.tasks if t.framework == "Celery" and t.schedule is None]
        if not any(self._gathered.owners.of(t.module.path) is service for t in tasks):
            return
        end, evidence = self._end_of_tasks(application)
        scope = application.scope
        ordinal = self._ordinals.next(around(scope), "Celery")
        location = scope.module.location(application.call)
        yield DeadLetterPath("Celery", around(scope), ordinal, location, scope.module.role, end, evidence)

    def _end_of_tasks(self, application: Application) -> tuple[DeadLetters, tuple[Evidence, ...]]:
        kept = [m for v in self._celery.stated(application, *RESULTS) for m in self._celery.meanings(v)]
        kept = [m for m in kept if not isinstance(m.value, str) or not m.value.startswith("disabled")]
        backend = application.call.argument(1, "backend")
        is_ignored = self._is_on(application, *IGNORING) and not self._is_on(application, STORING_ERRORS)
        if kept and not is_ignored:
            return DeadLetters.STORED, (kept[0].evidence,)
        if backend is not None and not is_ignored and not (isinstance(backend, form.Const) and backend.value is None):
            return DeadLetters.STORED, (application.scope.module.evidence(backend, "results are kept here"),)
        dead = [d for d in self._declared if d.library == "kombu" and d.is_queue and d.dead_letters]
        if dead:
            return DeadLetters.STATED, (dead[0].evidence("what is rejected goes to another exchange"),)
        handlers = list(self._failure_handlers)
        storing = [f for f in handlers if not _KEPT.isdisjoint(c.kind for c in self._gathered.bodies.of(f).changes)]
        if storing:
            return DeadLetters.STORED, (Evidence(storing[0].location, "this stores what failed"),)
        told = [Evidence(f.location, "this is told what failed") for f in handlers] or list(self._trackers)
        elsewhere = self._celery.elsewhere(application)
        if elsewhere is not None:
            return DeadLetters.ELSEWHERE, (elsewhere,)
        return (DeadLetters.TOLD, tuple(told[:1])) if told else (DeadLetters.DROPPED, (application.place,))

    def _is_on(self, application: Application, *names: str) -> bool:
        stated = self._celery.stated(application, *names)
        return any(m.value is True for value in stated for m in self._celery.meanings(value))

    @cached_property
    def _failure_handlers(self) -> tuple[FunctionSymbol, ...]:
        """What Celery tells of failed tasks: receivers of its signal, `on_failure` of classes of tasks."""
        found: list[FunctionSymbol] = []
        for module in self._modules("celery"):
            for function in module.functions:
                texts = (form.dotted(d.func if isinstance(d, form.Call) else d) for d in function.decorators)
                if any((text or "").endswith("task_failure.connect") for text in texts):
                    found.append(function)
            for call, scope in module.calls_named(["connect"]):
                if (form.dotted(call.func) or "").endswith("task_failure.connect") and call.positional:
                    value = self._project.infer(call.positional[0], scope)
                    if isinstance(value, FunctionSymbol):
                        found.append(value)
            for cls in module.classes:
                method = cls.methods.get("on_failure")
                if method is not None and self._project.is_subclass(cls, *_TASKS):
                    found.append(method)
        return tuple(dict.fromkeys(found))

    @cached_property
    def _trackers(self) -> tuple[Evidence, ...]:
        """Error trackers, which hook into workers."""
        for call, scope in self._project.calls_named("init"):
            if scope.module.role is Role.PROD and not scope.module.imported_packages.isdisjoint(_TRACKERS):
                return (scope.module.evidence(call, "an error tracker is told what failed"),)
        for module in self._project.modules.values():
            for binding in module.scope.bindings.get("INSTALLED_APPS", ()) if module.role is Role.PROD else ():
                for node in form.walk(binding.value) if binding.value is not None else ():
                    if isinstance(node, form.Const) and str(node.value).partition(".")[0] in _TRACKERS:
                        return (module.evidence(node, "an error tracker is told what failed"),)
        return ()

    def _modules(self, package: str) -> Iterator[Module]:
        for module in self._project.modules.values():
            if module.role is Role.PROD and package in module.imported_packages:
                yield module

    def _of_libraries(self) -> Iterator[DeadLetterPath]:
        """Those that keep what failed of themselves, and arq, which drops it; once for each service that uses them."""
        seen: set[tuple[str, str]] = set()
        for each in self._consumed.tasks:
            service = self._gathered.owners.of(each.module.path)
            key = (each.framework, service.root if service is not None else "")
            if key in seen or each.framework not in (*_BUILT_IN, "arq"):
                continue
            if each.framework == "arq" and each.schedule is not None:
                continue
            seen.add(key)
            location = each.source.location
            end, evidence = DeadLetters.BUILT_IN, Evidence(location, _BUILT_IN.get(each.framework, ""))
            if each.framework == "arq":
                end, evidence = self._end_of_arq(Evidence(location, "arq drops a job that failed for the last time"))
            yield DeadLetterPath(each.framework, "all tasks", 1, location, each.module.role, end, (evidence,))

    def _end_of_arq(self, default: Evidence) -> tuple[DeadLetters, Evidence]:
        for module in self._modules("arq"):
            for cls in module.classes:
                for name in (*_HOOKS, *_KEEPING):
                    stated = self._project.class_attribute(cls, name)
                    if stated is None:
                        continue
                    place = stated[1].module.evidence(stated[0], f"{name} is set")
                    hook = self._project.infer(*stated) if name in _HOOKS else None
                    changes = self._gathered.bodies.of(hook).changes if isinstance(hook, FunctionSymbol) else ()
                    is_told = name in _HOOKS and _KEPT.isdisjoint(c.kind for c in changes)
                    return (DeadLetters.TOLD if is_told else DeadLetters.STORED), place
                if cls.name.endswith("WorkerSettings") and (made := _method(cls, _HOOKS)) is not None:
                    return DeadLetters.TOLD, Evidence(made.location, "this is told what failed")
        return DeadLetters.DROPPED, default


def _method(cls: ClassSymbol, names: tuple[str, ...]) -> FunctionSymbol | None:
    return next((cls.methods[name] for name in names if name in cls.methods), None)
