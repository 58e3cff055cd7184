"""Every place where a guard is put on something, and whether it acts there."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.uses.calls import call_uses
from assay.scanner.access.uses.classes import class_uses
from assay.scanner.access.uses.decorators import decorator_uses
from assay.scanner.access.uses.dependencies import dependency_uses
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.gathered import Gathered
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.access import GuardUse
from assay.scanner.model.place import Evidence


def guard_uses(gathered: Gathered) -> Iterator[GuardUse]:
    """Decorators, classes' attributes and mixins, dependencies, and calls of checks."""
    project = gathered.project
    is_guarded: dict[FunctionSymbol, bool] = {}
    for route, _ in gathered.endpoints:
        if route.handler is not None:
            is_guarded[route.handler] = is_guarded.get(route.handler, True) and bool(route.guards)
    ordinals = Ordinals()
    for use in (
        *decorator_uses(project, is_guarded),
        *class_uses(project),
        *dependency_uses(project, (r.handler for r, _ in gathered.endpoints if r.handler and r.framework == "fastapi")),
        *call_uses(project),
    ):
        location = use.site.module.location(use.site.node)
        yield GuardUse(
            use.guard,
            use.around,
            ordinals.next(use.around, use.guard),
            location,
            use.site.module.role,
            use.action,
            (Evidence(location, f"{use.guard} is put here"), *use.more),
        )
