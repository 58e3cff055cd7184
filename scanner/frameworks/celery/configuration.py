"""Celery's configuration: which queue a task goes to, and when the beat runs it
(https://docs.celeryq.dev/en/stable/userguide/configuration.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase

from assay.scanner.dataflow.constants import definitions, string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, literal_item
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form
from assay.scanner.work.schedules import schedule

SCHEDULES = ("beat_schedule", "CELERY_BEAT_SCHEDULE", "CELERYBEAT_SCHEDULE")
ROUTES = ("task_routes", "CELERY_TASK_ROUTES", "CELERY_ROUTES")
_OPTIONS = frozenset({*SCHEDULES, *ROUTES})
_DEEPEST = 3


@dataclass(frozen=True, slots=True, eq=False)
class Entry:
    """One entry of the beat's schedule. `task` is what names the task: its name as text, or its function."""

    task: Sited
    schedule: str
    queue: str | None


class CeleryConfiguration:
    """What the project's modules set, whether as settings, as attributes of `app.conf` or by `app.conf.update`."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._set = list(self._everything_set())

    def entries(self) -> Iterator[Entry]:
        """The entries of the beat's schedule, each dict once."""
        seen: set[form.Expr] = set()
        for name, value in self._set:
            for table in self._dicts(value, _DEEPEST) if name in SCHEDULES else ():
                task, when = _item(table.node, "task"), _item(table.node, "schedule")
                if task is not None and when is not None and table.node not in seen:
                    seen.add(table.node)
                    queue = self._queue(_item(table.node, "options"), table.scope)
                    yield Entry(Sited(task, table.scope), schedule(when, table.scope, self._project), queue)

    def computed_schedules(self) -> Iterator[Location]:
        """Where the beat's schedule is set to something that no dict in the code tells."""
        for name, value in self._set:
            if name in SCHEDULES and not list(self._dicts(value, _DEEPEST)):
                yield value.module.location(value.node)

    def queue_of(self, task: str) -> str | None:
        """The queue that the routes give a task of that name: the first pattern that fits."""
        return next((queue for pattern, queue in self._routes() if fnmatchcase(task, pattern)), None)

    def _routes(self) -> Iterator[tuple[str, str]]:
        for name, value in self._set:
            for table in self._dicts(value, _DEEPEST) if name in ROUTES else ():
                if not isinstance(table.node, form.Dict):
                    continue
                for key, route in zip(table.node.keys, table.node.values, strict=True):
                    pattern = string_value(key, table.scope, self._project) if key is not None else None
                    queue = self._queue(route, table.scope)
                    if pattern is not None and queue is not None:
                        yield pattern, queue

    def _queue(self, route: form.Expr | None, scope: Scope) -> str | None:
        """`{"queue": "mails"}`, or the queue's name alone."""
        stated = _item(route, "queue") if isinstance(route, form.Dict | form.Call) else route
        return string_value(stated, scope, self._project) if stated is not None else None

    def _dicts(self, value: Sited, depth: int) -> Iterator[Sited]:
        """All dicts of an expression, those behind its names included."""
        for node in form.walk(value.node, into_definitions=False):
            if isinstance(node, form.Dict) or (isinstance(node, form.Call) and last_name(node.func) == "dict"):
                yield Sited(node, value.scope)
            elif isinstance(node, form.Name) and depth:
                for known in definitions(node, value.scope, self._project):
                    yield from self._dicts(Sited(*known), depth - 1)

    def _everything_set(self) -> Iterator[tuple[str, Sited]]:
        """Names of options with what they are given, in modules that import Celery or bind such a name."""
        for module in self._project.modules.values():
            names = set(module.scope.bindings).union(*(cls.scope.bindings for cls in module.classes))
            if "celery" in module.imported_packages or not names.isdisjoint(_OPTIONS):
                for scope in module.scopes:
                    for node in form.walk_body(scope.body, into_definitions=False):
                        yield from ((name, Sited(value, scope)) for name, value in _options_set(node))


def _options_set(node: form.Expr | form.Stmt) -> Iterator[tuple[str, form.Expr]]:
    """The options that a statement or call sets: `app.conf.x = value`, `X["key"] = value`, `conf.update(x=value)`."""
    if isinstance(node, form.Assign | form.AugAssign) and node.value is not None:
        targets = node.targets if isinstance(node, form.Assign) else [node.target]
        for name in filter(None, map(_option, targets)):
            yield name, node.value
    elif isinstance(node, form.Call):
        owner = _option(node.func.value) if isinstance(node.func, form.Attr) and node.func.attr == "update" else None
        for argument in node.args:
            if argument.name in _OPTIONS or owner is not None:
                yield argument.name if argument.name in _OPTIONS else owner or "", argument.value


def _option(target: form.Expr) -> str | None:
    """The option that an assignment's target is, or is a part of."""
    match target:
        case form.Name(id=name) | form.Attr(attr=name) | form.Subscript(index=form.Const(value=str() as name)) if (
            name in _OPTIONS
        ):
            return name
        case form.Subscript(value=owner):
            return _option(owner)
    return None


def _item(node: form.Expr | None, key: str) -> form.Expr | None:
    """`node[key]` of a dict display or of a `dict(...)`."""
    if isinstance(node, form.Call):
        return node.keyword(key)
    return literal_item(node, key) if node is not None else None
