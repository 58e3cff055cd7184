"""Tests that turn a request away before the look-up: `if not exists(order_id): raise ...`, a decorator that asks."""

from __future__ import annotations

from collections.abc import Callable

from assay.scanner.dataflow.lookups.decorators import wrappers
from assay.scanner.dataflow.lookups.misses import Kind, Miss
from assay.scanner.dataflow.lookups.outcomes import aborts, answered, raised
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.readers.python import form

_NOT_FOUND = frozenset({404, 410})
_NO_ENTRY = _NOT_FOUND | {403}
"""What a decorator answers that looks for the caller's rights on what a parameter of the path names."""


def answered_before(
    function: FunctionSymbol,
    lookup: int | None,
    is_about_id: Callable[[form.Expr], bool],
    wanted: str,
    project: Project,
) -> Miss | None:
    """How the function, or a decorator of the project on it, says that there is no such object.

    `lookup` is the offset of the first look-up, and `wanted` the path's parameter.
    """
    for statement in function.nodes:
        if lookup is not None and statement.start >= lookup:
            break
        if isinstance(statement, form.If) and is_about_id(statement.test):
            ending = _refusal(statement.body, function.scope, _NOT_FOUND, project)
            if ending is not None:
                return ending
    return _by_decorator(function, wanted, project)


def _refusal(body: list[form.Stmt], scope: Scope, statuses: frozenset[int], project: Project) -> Miss | None:
    """How a branch says that there is no such object, where it does."""
    for node in form.walk_body(body, into_definitions=False):
        ending: Miss | None = None
        match node:
            case form.Raise(exc=exc) if exc is not None:
                ending = raised(exc, scope, project)
            case form.Call():
                ending = aborts(node, scope, project)
            case form.Return(value=value) if value is not None:
                ending = Miss(Kind.ANSWERS, answered(value, scope, project))
        if ending is not None and ending.status in statuses:
            return Miss(ending.kind, ending.status, evidence=scope.module.evidence(node, "it asks before"))
    return None


def refuses(body: list[form.Stmt], scope: Scope, project: Project) -> bool:
    """Whether a branch turns the request away for who is asking."""
    return _refusal(body, scope, _NO_ENTRY, project) is not None


def _by_decorator(function: FunctionSymbol, wanted: str, project: Project) -> Miss | None:
    statuses = _NOT_FOUND if wanted in ("pk", "id") else _NO_ENTRY
    for wrapper in wrappers(function, project):
        asks = any(
            (isinstance(n, form.Const) and n.value == wanted) or (isinstance(n, form.Name) and n.id == wanted)
            for n in wrapper.nodes
        )
        ending = _refusal(wrapper.node.body, wrapper.scope, statuses, project) if asks else None
        if ending is not None:
            return ending
    return None
