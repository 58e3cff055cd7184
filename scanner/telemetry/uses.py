"""What a service uses that takes time of its own: its database, other services, queues, caches."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.blocks import is_main_guard
from assay.scanner.dataflow.entry_points import is_command
from assay.scanner.dataflow.ways import way_to
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.telemetry import DependencyKind
from assay.scanner.readers.python import form
from assay.scanner.roles import is_offline
from assay.scanner.telemetry.code import ServiceCode, import_of
from assay.scanner.telemetry.libraries import CACHES, QUEUES

_DEEPEST = 4
"""Callers of callers that are looked at."""


def uses(code: ServiceCode, kind: DependencyKind) -> Iterator[Evidence]:
    """Where a dependency of this kind is used by what isn't run by hand."""
    owners, service = code.gathered.owners, code.service
    if kind is DependencyKind.DATABASE:
        for table in code.gathered.tables:
            if owners.of(table.location.path) is service:
                yield Evidence(table.location, table.label)
    elif kind is DependencyKind.HTTP:
        for request in code.gathered.requests:
            is_own = owners.of(request.location.path) is service and request.role is Role.PROD
            if is_own and not _is_offline(code, request.function, request.location.path):
                yield Evidence(request.location, "a request to another service")
    else:
        packages = QUEUES if kind is DependencyKind.QUEUE else CACHES
        for module in code.modules:
            # Modules that are run by hand or at deployment don't serve anybody.
            for name in sorted(module.imported_packages & packages) if not is_offline(module.path) else ():
                found = import_of(module, name)
                if found is not None:
                    yield found


def _is_offline(code: ServiceCode, function: str, path: str) -> bool:
    """Whether nobody's request leads to it: commands, scripts, and what only they call."""
    found = next((f for m in code.modules if m.path == path for f in m.functions if f.id == function), None)
    return is_offline(path) if found is None else _is_run_by_hand(found, code, frozenset())


def _is_run_by_hand(function: FunctionSymbol, code: ServiceCode, seen: frozenset[FunctionSymbol]) -> bool:
    if is_command(function, code.project):
        return True
    calls = [(call, s) for call, s in code.project.callers(function) if s.module.role is Role.PROD]
    if not calls or function in seen or len(seen) > _DEEPEST:
        return False
    return all(
        _is_run_by_hand(caller, code, seen | {function})
        if (caller := scope.enclosing_function) is not None
        else is_offline(scope.module.path) or _is_below_guard(call, scope)
        for call, scope in calls
    )


def _is_below_guard(call: form.Call, scope: Scope) -> bool:
    """Whether it runs below `if __name__ == "__main__"`."""
    return any(branch.test is not None and is_main_guard(branch.test) for branch in way_to(scope.body, call.start))
