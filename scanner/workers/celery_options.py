"""Celery's options, wherever a project states them: settings, `app.conf`, the application's arguments, its commands
(https://docs.celeryq.dev/en/stable/userguide/configuration.html).
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from weakref import WeakKeyDictionary

from assay.scanner.configuration.meanings import Meaning
from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.framework import Sited
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.services import ServiceRoot
from assay.scanner.work.references import library_callee

TIME_LIMITS = ("task_time_limit", "task_soft_time_limit")
SERIALIZERS = ("task_serializer", "result_serializer", "event_serializer", "accept_content", "result_accept_content")
POOL = "worker_pool"
ACKS_LATE = ("task_acks_late", "celery_acks_late")
ON_LOSS = "task_reject_on_worker_lost"
RESULTS = ("result_backend", "celery_result_backend")
IGNORING = ("task_ignore_result", "celery_ignore_result")
STORING_ERRORS = "task_store_errors_even_if_ignored"
QUEUES = ("task_queues", "celery_queues")
ROUTES = ("task_routes", "celery_routes")
DEFAULT_QUEUE = ("task_default_queue", "celery_default_queue")
MAX_PRIORITY = "task_queue_max_priority"
DEFAULT_PRIORITY = "task_default_priority"
BROKER = "broker_url"
_OF_QUEUES = (*QUEUES, *ROUTES, *DEFAULT_QUEUE, MAX_PRIORITY, DEFAULT_PRIORITY, BROKER)
_OF_ENDS = (*ACKS_LATE, ON_LOSS, *RESULTS, *IGNORING, STORING_ERRORS)
_OPTIONS = (*TIME_LIMITS, *SERIALIZERS, POOL, "celeryd_pool", *_OF_ENDS, *_OF_QUEUES)
_OPTION = re.compile(rf"(?:^|_)({'|'.join(sorted(_OPTIONS, key=len, reverse=True))})$")
"""Under any namespace: `CELERY_TASK_TIME_LIMIT`, `CELERYD_TASK_TIME_LIMIT`, `task_time_limit`."""
_APPLICATIONS = frozenset({"celery.Celery", "celery.app.base.Celery", "celery.app.Celery"})


@dataclass(frozen=True, slots=True, eq=False)
class Application:
    """A call that makes a Celery application, and what it states by name."""

    call: form.Call
    scope: Scope
    service: ServiceRoot | None

    @property
    def place(self) -> Evidence:
        return self.scope.module.evidence(self.call, "the Celery application is made here")

    @property
    def only_sends(self) -> bool:
        """Whether it is made where a message is sent to somebody else's workers."""
        nodes = self.scope.function.nodes if self.scope.function is not None else ()
        return any(isinstance(node, form.Call) and last_name(node.func) == "send_task" for node in nodes)


_Found = tuple[list[Application], list[tuple[str, Sited]]]
_KNOWN: WeakKeyDictionary[Project, _Found] = WeakKeyDictionary()


class CeleryOptions:
    """All that one tree states; tests don't count. It is looked for once, however many ask."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        if self._project not in _KNOWN:
            applications = list(self._applications())
            _KNOWN[self._project] = (applications, list(self._everything()) if applications else [])
        self.applications, self._stated = _KNOWN[self._project]

    def stated(self, application: Application, *names: str) -> list[Sited]:
        """What the options are given in the application's service."""
        return [
            value
            for name, value in self._stated
            if name in names and self._gathered.owners.of(value.module.path) in (application.service, None)
        ]

    def meanings(self, value: Sited) -> list[Meaning]:
        """What it comes to in production: of a list, each of its items."""
        items = list_items(value.node, value.scope, self._project) or [(value.node, value.scope)]
        return [m for item in items for m in self._gathered.production.meanings(*item)]

    def flags(self, application: Application, flag: re.Pattern[str]) -> tuple[Evidence, ...]:
        """Commands of the service's workers that the pattern is found in."""
        service = application.service
        deployment = self._gathered.deployments.get(service.name) if service is not None else None
        commands = deployment.start_commands if deployment is not None else ()
        return tuple(
            Evidence(c.location, f"`{found.group(0).strip()}` is given to the worker")
            for c in commands
            if "celery" in c.text and "worker" in c.text and (found := flag.search(c.text)) is not None
        )

    def elsewhere(self, application: Application) -> Evidence | None:
        """Where the application is told to read options from what isn't in the tree."""
        for call, scope in self._project.calls_named("config_from_envvar"):
            if self._gathered.owners.of(scope.module.path) is application.service:
                return scope.module.evidence(call, "the environment names the module of its options")
        for call, scope in self._project.calls_named("config_from_object"):
            text = string_value(call.positional[0], scope, self._project) if call.positional else None
            is_ours = self._gathered.owners.of(scope.module.path) is application.service
            if is_ours and text is not None and "django.conf" not in text and self._module(text, scope) is None:
                return scope.module.evidence(call, f"its options are in {text}, which isn't in the tree")
        return None

    def _applications(self) -> Iterator[Application]:
        names = ["Celery", *self._project.aliases_of("Celery")]
        own = (c.name for c in self._project.classes if "celery" in c.module.imported_packages)
        names += [name for name in own if "celery" in name.lower()]
        for call, scope in self._project.calls_named(*dict.fromkeys(names)):
            if scope.module.role is Role.PROD and library_callee(call.func, scope, self._project) in _APPLICATIONS:
                yield Application(call, scope, self._gathered.owners.of(scope.module.path))

    def _everything(self) -> Iterator[tuple[str, Sited]]:
        named = set(self._named_modules())
        for module in self._project.modules.values():
            if module.role is Role.PROD and (module in named or _may_state(module)):
                for scope in module.scopes:
                    for node in form.walk_body(scope.body, into_definitions=False):
                        for name, value in _pairs(node):
                            found = _OPTION.search(name.lower())
                            if found is not None and not self._is_none(value, scope):
                                yield found.group(1), Sited(value, scope)

    def _is_none(self, value: form.Expr, scope: Scope) -> bool:
        return all(m.value is None for m in self._gathered.production.meanings(value, scope))

    def _named_modules(self) -> Iterator[Module]:
        """The modules that hold options, as applications are told."""
        for call, scope in self._project.calls_named("config_from_object"):
            text = string_value(call.positional[0], scope, self._project) if call.positional else None
            if text is not None and (module := self._module(text, scope)) is not None:
                yield module
            value = self._project.infer(call.positional[0], scope) if call.positional and text is None else None
            match value:
                case Module() as module:
                    yield module
                case ClassSymbol(module=module) | Instance(cls=ClassSymbol(module=module)):
                    yield module

    def _module(self, text: str, scope: Scope) -> Module | None:
        """Of `package.module`, `package.module:Class` or `package.module.Class`."""
        name = text.partition(":")[0]
        for each in (name, name.rpartition(".")[0]):
            found = self._project.module_named(each, scope.module.path) if each else None
            if isinstance(found, Module):
                return found
        return None


def _may_state(module: Module) -> bool:
    if "celery" in module.imported_packages:
        return True
    names = set(module.scope.bindings).union(*(cls.scope.bindings for cls in module.classes))
    return any("celery" in name.lower() for name in names)


def _pairs(node: form.Expr | form.Stmt) -> Iterator[tuple[str, form.Expr]]:
    """Names with what they are given: by assignment, as keyword, in a dict."""
    match node:
        case form.Assign(targets=targets, value=value) if value is not None:
            yield from ((name, value) for name in map(_target, targets) if name is not None)
        case form.AugAssign(target=target, value=value) if (name := _target(target)) is not None:
            yield name, value
        case form.Call(args=args):
            yield from ((argument.name, argument.value) for argument in args if argument.name)
        case form.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, form.Const) and key.value == "*" and isinstance(value, form.Dict):
                    yield from ((f"task_{name}", given) for name, given in _pairs(value))  # annotations of all tasks
                elif isinstance(key, form.Const) and isinstance(key.value, str):
                    yield key.value, value


def _target(node: form.Expr) -> str | None:
    match node:
        case form.Attr(value=form.Attr(attr="Task"), attr=name):
            return f"task_{name}"
        case form.Name(id=name) | form.Attr(attr=name) | form.Subscript(index=form.Const(value=str() as name)):
            return name
    return None
