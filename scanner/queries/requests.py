"""Which functions a request runs, asked from the function upwards: a few are asked for, of thousands."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from assay.scanner.framework import Route
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.place import Evidence
from assay.scanner.queries.helpers import keeps_answers

_DEEPEST = 3
"""Calls between a handler and the function."""


class Requests:
    """Answers are remembered by function."""

    def __init__(self, routes: Iterable[Route], project: Project) -> None:
        self._project = project
        self._roots: set[FunctionSymbol] = set()
        for route in routes:
            self._roots.update(f for f in (route.handler, *route.runs_before) if f is not None)
            if route.view_class is not None:
                self._roots.update(route.view_class.methods.values())
        self._known: dict[FunctionSymbol, tuple[Evidence, ...]] = {}

    def leading_to(self, function: FunctionSymbol) -> tuple[Evidence, ...]:
        """The calls from a handler to the function; nothing where no handler is known to call it."""
        if function not in self._known:
            self._known[function] = self._search(function)
        return self._known[function]

    def _search(self, function: FunctionSymbol) -> tuple[Evidence, ...]:
        ways: dict[FunctionSymbol, tuple[Evidence, ...]] = {function: ()}
        queue = deque([function])
        while queue:
            current = queue.popleft()
            if current is not function and keeps_answers(current):
                continue  # the first request runs it for all
            if current in self._roots:
                return (Evidence(current.location, f"{current.name}() answers requests"), *ways[current])
            if len(ways[current]) >= _DEEPEST:
                continue
            for call, scope in self._project.callers(current):
                caller = scope.enclosing_function
                if caller is not None and caller not in ways:
                    step = scope.module.evidence(call, f"{caller.name}() calls {current.name}()")
                    ways[caller] = (step, *ways[current])
                    queue.append(caller)
        return ()
