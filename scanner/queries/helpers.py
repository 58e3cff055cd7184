"""Helpers that run a query each time they are called."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.queries.executions import Executions
from assay.scanner.queries.lookups import is_looked_up_first
from assay.scanner.queries.regions import Regions, regions_of, statements_around
from assay.scanner.readers.python import form

_DEEPEST = 3
"""Helpers between a loop and the query."""
_KEEPING = frozenset(
    {"cache", "lru_cache", "cached", "memoize", "memoized", "cached_property", "cache_result", "alru_cache"}
)


_WRITING = frozenset(
    """add append apply archive assign attach cancel change clear close copy create delete disable enable
    export import execute handle insert invite log mark merge move notify patch perform post process publish
    purge push put queue record register remove rename replace reset restore run save schedule send set start
    store submit sync trigger unmark update upload upsert write""".split()
)  # fmt: skip
"""First words of functions that change something: once for each element is what they are for."""


class Helpers:
    """Answers are remembered by function."""

    def __init__(
        self,
        project: Project,
        executions: Executions,
        calls: Mapping[FunctionSymbol, Sequence[tuple[form.Call, Scope]]],
    ) -> None:
        self._project = project
        self._executions = executions
        self._calls = calls
        self._known: dict[tuple[FunctionSymbol, int], tuple[Evidence, ...]] = {}
        self._regions: dict[FunctionSymbol, Regions] = {}

    def regions(self, function: FunctionSymbol) -> Regions:
        if function not in self._regions:
            self._regions[function] = regions_of(function)
        return self._regions[function]

    def query_in(self, function: FunctionSymbol, depth: int = _DEEPEST) -> tuple[Evidence, ...]:
        """The calls that lead to the query which a call of the function runs, and the query; none where it runs none.

        What only runs on some condition, after a failure, where a look before it found nothing, or in a loop of its own
        isn't counted.
        """
        key = (function, depth)
        if key not in self._known:
            self._known[key] = ()
            self._known[key] = self._query_in(function, depth)
        return self._known[key]

    def _query_in(self, function: FunctionSymbol, depth: int) -> tuple[Evidence, ...]:
        if not depth or function.module.role is not Role.PROD or keeps_answers(function):
            return ()
        regions = self.regions(function)
        sure = [
            (call, scope)
            for call, scope in self._calls.get(function, ())
            if not regions.around(call.start)
            and not regions.is_deferred(call.start)
            and is_sure(function.node.body, call.start)
            and not is_looked_up_first(function.node.body, call.start)
        ]
        for call, scope in sure:
            execution = self._executions.of(call, scope)
            if execution is not None:
                return (scope.module.evidence(call, f"{function.name}() runs a query: {execution.what}"),)
        for call, scope in sure:
            callee = self._project.callee_function(call, scope)
            if callee is not None and callee is not function:
                steps = self.query_in(callee, depth - 1)
                if steps:
                    return (scope.module.evidence(call, f"{function.name}() calls {callee.name}()"), *steps)
        return ()


def keeps_answers(function: FunctionSymbol) -> bool:
    """Whether a decorator keeps what it returns."""
    named = (d.func if isinstance(d, form.Call) else d for d in function.decorators)
    return any((last_name(node) or "").lower() in _KEEPING for node in named)


def writes(function: FunctionSymbol) -> bool:
    """Whether its name says that it changes something."""
    return function.name.lstrip("_").lower().partition("_")[0] in _WRITING


def is_sure(body: Sequence[form.Stmt], offset: int) -> bool:
    """Whether a run of the body gets there whatever the values are, but for an early return before it."""
    for block, index in statements_around(body, offset):
        statement = block[index]
        match statement:
            case form.If(test=test):
                if not test.start <= offset < test.end:
                    return False
            case form.Try(handlers=handlers):
                if any(h.start <= offset < h.end for h in handlers):
                    return False
            case form.Match():
                return False
    return True
