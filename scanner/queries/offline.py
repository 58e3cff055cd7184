"""Which code runs by hand, at deployment or at the start, and neither for a request nor for a job."""

from __future__ import annotations

from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope

_DEEPEST = 3
_STARTING = frozenset({"main", "create_app", "make_app", "lifespan", "startup", "on_startup", "init_db", "init_app"})
"""Functions that run once, when a process starts."""
_REPAIRING = frozenset({"fix", "repair", "backfill", "migrate", "upgrade", "seed", "populate", "bootstrap"})
"""First words of functions that bring old data up to date: one caller that does so at the start says what they are."""


class Offline:
    """Answers are remembered by function."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known: dict[FunctionSymbol, str | None] = {}

    def reason(self, scope: Scope, *, is_asked_of_callers: bool) -> str | None:
        """Why neither a request nor a job runs the code, in words: it is a command's, or of nothing but commands
        called; None where they may.
        """
        reason = self._own(scope)
        function = scope.enclosing_function
        if reason is None and function is not None and is_asked_of_callers:
            return self._of_callers(function, _DEEPEST)
        return reason

    def _own(self, scope: Scope) -> str | None:
        function = scope.enclosing_function
        if function is None:
            return "start of a process"
        reason = offline_reason(scope)
        if reason is None and is_command(function, self._project):
            return "command line"
        return "start of a process" if reason is None and function.name in _STARTING else reason

    def _of_callers(self, function: FunctionSymbol, depth: int) -> str | None:
        if function not in self._known:
            self._known[function] = None
            is_repair = function.name.lstrip("_").partition("_")[0] in _REPAIRING
            reasons = []
            for _, scope in self._project.callers(function) if not function.decorators else ():
                caller = scope.enclosing_function
                reason = self._own(scope)
                if reason is None and caller is not None and depth:
                    reason = self._of_callers(caller, depth - 1)
                if reason is not None:
                    reasons.append(reason)
                elif not is_repair:
                    return None
            self._known[function] = reasons[0] if reasons else None
        return self._known[function]
