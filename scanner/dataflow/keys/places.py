"""Places in the code, found again by their location."""

from __future__ import annotations

from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import Module, Scope
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form


def scope_at(place: Location, project: Project) -> Scope:
    """The innermost scope whose definition holds the place."""
    module = project.modules[place.path]
    start, _ = _offsets(module, place)
    inner = module.scope
    functions = ((f.node, f.scope) for f in module.functions)
    for node, scope in (*functions, *((c.node, c.scope) for c in module.classes)):
        if node.start <= start < node.end and node.start >= _beginning(inner):
            inner = scope
    return inner


def node_at(place: Location, project: Project) -> form.Expr | form.Stmt | None:
    """The expression or statement that covers exactly the place."""
    module = project.modules[place.path]
    start, end = _offsets(module, place)
    around: list[form.Expr | form.Stmt] = [s for s in module.facts.body if s.start <= start and end <= s.end]
    while around:
        node = around[0]
        if (node.start, node.end) == (start, end):
            return node
        around = [n for n in node.children() if n.start <= start and end <= n.end]
    return None


def _beginning(scope: Scope) -> int:
    definition = scope.function or scope.cls
    return definition.node.start if definition is not None else 0


def _offsets(module: Module, place: Location) -> tuple[int, int]:
    starts = module.facts.line_starts
    return starts[place.line - 1] + place.column - 1, starts[place.end_line - 1] + place.end_column - 1
