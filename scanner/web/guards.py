"""Guards that handlers bear: decorators that turn callers away, and the checks that they make themselves."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.dataflow.refusals.bodies import is_in_vain, refuses_in_body
from assay.scanner.dataflow.refusals.decorators import refuses_by_decorator
from assay.scanner.framework import Guard
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form
from assay.scanner.web.registrations import Registration


def decorator_guards(
    decorators: Iterable[form.Expr], scope: Scope, project: Project, known: frozenset[str] = frozenset()
) -> list[Guard]:
    """The guards among decorators: those of the project that refuse callers, and libraries' by their dotted names."""
    found = []
    for decorator in decorators:
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        name = form.dotted(callee) or "decorator"
        is_known = project.qualified_name(callee, scope) in known
        if is_known or refuses_by_decorator(decorator, scope, project) is not None:
            found.append(Guard(name, scope.module.evidence(decorator, f"{name} turns callers away")))
    return found


def handler_guards(
    added: Registration, handler: FunctionSymbol | None, project: Project, known: frozenset[str] = frozenset()
) -> list[Guard]:
    """All that guards a handler where it is registered: what wraps it, its decorators, and its own check."""
    found = decorator_guards(added.wrappers(), added.scope, project, known)
    if handler is not None:
        found += decorator_guards(added.decorators_of(handler), handler.outer, project, known)
        found += own_check(handler, project)
    return found


def own_check(handler: FunctionSymbol, project: Project) -> list[Guard]:
    """The check of credentials that a handler makes itself, or in a function that it always calls."""
    refused = refuses_in_body(handler, project)
    if refused is not None:
        return [Guard("check in the handler", refused)]
    for statement in handler.node.body:
        if not isinstance(statement, form.ExprStmt | form.Assign):
            continue
        if isinstance(statement, form.ExprStmt) and is_in_vain(statement, handler.scope, project):
            continue
        value = statement.value.value if isinstance(statement.value, form.Await) else statement.value
        callee = project.callee_function(value, handler.scope) if isinstance(value, form.Call) else None
        if callee is not None and callee.name != "__init__" and refuses_in_body(callee, project) is not None:
            return [Guard(callee.name, handler.module.evidence(statement, f"{callee.name} turns callers away"))]
    return []
