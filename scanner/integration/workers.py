"""Functions that nothing but workers run, and whether these do so again for what has failed."""

from __future__ import annotations

from assay.scanner.delivery.consumed import Consumed, ConsumedFunctions
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.role import Role
from assay.scanner.model.work import Task
from assay.scanner.readers.python import form

_RETRYING = ("autoretry_for", "retry", "retries", "max_retries", "acks_late", "task_acks_late")
_RETRYING_BY_THEMSELVES = frozenset({"Dramatiq", "arq"})
_DEEPEST = 3


class Workers:
    """Answers are remembered by function."""

    def __init__(self, gathered: Gathered, consumed: ConsumedFunctions) -> None:
        self._project = gathered.project
        self._workers = {c.function: c for c in consumed.all}
        scheduled = {task.handler for task in gathered.tasks if task.schedule is not None}
        self.scheduled = tuple(c.function for c in consumed.tasks if c.function.id in scheduled)
        self._again: dict[FunctionSymbol, bool | None] = {}

    def __contains__(self, function: FunctionSymbol) -> bool:
        return function in self._workers

    def run_again(self, function: FunctionSymbol, depth: int = _DEEPEST) -> bool | None:
        """Whether they do the function's work again after a failure; None where others run it too."""
        if function not in self._again:
            self._again[function] = None  # for functions that call each other
            worker = self._workers.get(function)
            if worker is not None:
                self._again[function] = self._is_run_again(worker)
            elif depth:
                scopes = [s for _, s in self._project.callers(function) if s.module.role is Role.PROD]
                callers = [s.enclosing_function for s in scopes]
                ways = {self.run_again(c, depth - 1) if c is not None else None for c in callers}
                self._again[function] = None if not ways or None in ways else False not in ways
        return self._again[function]

    def _is_run_again(self, worker: Consumed) -> bool:
        """A broker gives a message again that wasn't acknowledged, a schedule comes round, a task may be retried."""
        if not isinstance(worker.source, Task):
            return True
        is_retried = worker.source.option(*_RETRYING) is not None or worker.framework in _RETRYING_BY_THEMSELVES
        by_hand = (isinstance(n, form.Call) and last_name(n.func) == "retry" for n in worker.function.nodes)
        return is_retried or worker.function in self.scheduled or any(by_hand)
