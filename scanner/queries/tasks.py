"""Which functions tasks run, asked from the tasks downwards: they are few, and what they call is little."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Calls between a task and the function."""


class Tasks:
    """Answers are worked out once."""

    def __init__(self, tasks: Iterable[Task], project: Project) -> None:
        self._project = project
        self._ways: dict[FunctionSymbol, tuple[Evidence, ...]] = {}
        production = [task for task in tasks if task.role is Role.PROD]
        modules = [project.modules[path] for path in sorted({task.location.path for task in production})]
        functions = {f.id: f for module in modules for f in module.functions}
        for task in sorted(production, key=lambda task: task.schedule is None):
            function = functions.get(task.handler)
            if function is not None and function not in self._ways:
                text = f"{task.name} is a task"
                if task.schedule is not None:
                    text = f"{task.name} runs by the clock ({task.schedule})"
                self._follow(function, (Evidence(function.location, text),))

    def leading_to(self, function: FunctionSymbol) -> tuple[Evidence, ...]:
        """The task and the calls from it to the function; nothing where no task is known to run it."""
        return self._ways.get(function, ())

    def _follow(self, first: FunctionSymbol, way: tuple[Evidence, ...]) -> None:
        self._ways[first] = way
        queue = deque([first])
        while queue:
            current = queue.popleft()
            so_far = self._ways[current]
            if len(so_far) > _DEEPEST:
                continue
            for call in current.nodes:
                if not isinstance(call, form.Call):
                    continue
                callee = self._project.callee_function(call, current.scope)
                if callee is not None and callee not in self._ways and callee.module.role is Role.PROD:
                    step = current.module.evidence(call, f"{current.name}() calls {callee.name}()")
                    self._ways[callee] = (*so_far, step)
                    queue.append(callee)
