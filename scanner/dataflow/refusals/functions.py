"""Functions that turn callers away, themselves or in what they call."""

from __future__ import annotations

from assay.scanner.dataflow.refusals.answers import refuses
from assay.scanner.linker.project import Project
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

DEEPEST = 4
"""Calls that a refusal may hide behind."""


def refusal(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a function (a dependency, a hook, a decorator's wrapper) turns callers away, itself or in what it calls."""
    return _refusal(function, project, DEEPEST, set())


@remembered
def refuses_by_answer_alone(function: FunctionSymbol, project: Project) -> bool:
    """Whether it turns callers away by the response that it returns alone, which whoever calls it has to hand on."""
    nodes = list(function.walk())
    refusing = [node for node in nodes if refuses(node, function.scope, project)]
    if not refusing or not all(isinstance(node, form.Return) for node in refusing):
        return False
    callees = (called(node, function.scope, project) for node in nodes if isinstance(node, form.Call))
    others = [callee for callee in callees if callee is not None and callee is not function]
    return not any(isinstance(node, form.Raise) for node in nodes) and not any(refusal(f, project) for f in others)


def _refusal(function: FunctionSymbol, project: Project, depth: int, seen: set[FunctionSymbol]) -> Evidence | None:
    if function in seen or not depth or "csrf" in function.name.lower():
        return None  # forgery protection refuses requests of strangers and friends alike
    seen.add(function)
    nodes = list(function.walk())
    for node in nodes:
        if refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    for node in nodes:
        if isinstance(node, form.Call) and not _is_handed_in(node.func, function.scope):
            callee = called(node, function.scope, project)
            found = _refusal(callee, project, depth - 1, seen) if callee is not None else None
            if found is not None:
                return found
    return None


def called(call: form.Call, scope: Scope, project: Project) -> FunctionSymbol | None:
    """The function of the project that runs: also the `__call__` of an object that is called."""
    callee = project.callee_function(call, scope)
    if callee is not None:
        return callee
    value = project.infer(call.func, scope)
    cls = value.cls if isinstance(value, Instance) else None
    return project.method(cls, "__call__") if cls is not None else None


def _is_handed_in(callee: form.Expr, scope: Scope) -> bool:
    """Whether a parameter is called: the handler itself, in a decorator's wrapper."""
    return isinstance(callee, form.Name) and any(b.how is How.PARAMETER for b in scope.lookup(callee.id))
