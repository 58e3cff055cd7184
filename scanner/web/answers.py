"""Answers: what kind of thing a handler gives back, told by the expressions that it answers with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form

Kinds = Mapping[str, EndpointKind]
"""What a framework's functions and response classes give, by their last names."""

_DEEPEST = 3
"""Assignments and calls of the project that an answer is followed through."""


def returned_by(function: FunctionSymbol) -> list[Sited]:
    """The expressions that a function returns."""
    return [Sited(node.value, function.scope) for node in function.returns if node.value is not None]


def handed_on(
    call: form.Call, scope: Scope, helper: FunctionSymbol, answers: Iterable[Sited], project: Project
) -> Iterator[Sited]:
    """The answers that a helper gives, as its caller sees them: arguments for the parameters that they are made of."""
    for answer in answers:
        names = {node.id for node in form.walk(answer.node) if isinstance(node, form.Name)}
        given = [project.bound_argument(call, helper, param) for param in helper.parameters if param.name in names]
        passed = [Sited(node, scope) for node in given if node is not None]
        yield from passed or [answer]


def kind_of_handler(function: FunctionSymbol, project: Project, kinds: Kinds) -> EndpointKind | None:
    """By a decorator that makes the answer (`@view("page")`), else by what the function returns."""
    for decorator in function.decorators:
        name = last_name(decorator.func if isinstance(decorator, form.Call) else decorator) or ""
        if name in kinds:
            return kinds[name]
    return kind_of_answers(returned_by(function), project, kinds)


def kind_of_answers(answers: Iterable[Sited], project: Project, kinds: Kinds) -> EndpointKind | None:
    """The kind that all answers agree on as far as they can be told; None where they don't, or nothing can."""
    found = {kind for answer in answers for kind in _kinds(answer, project, kinds, _DEEPEST)}
    return found.pop() if len(found) == 1 else None


def _kinds(answer: Sited, project: Project, kinds: Kinds, depth: int) -> set[EndpointKind]:
    def inside(*nodes: form.Expr, by: int = 0) -> set[EndpointKind]:
        return {k for node in nodes for k in _kinds(Sited(node, answer.scope), project, kinds, depth - by)}

    match answer.node:
        case form.Dict() | form.Display(kind="list") | form.Comprehension(kind="list" | "dict"):
            return {EndpointKind.JSON}
        case form.Display(kind="tuple", items=[first, *_]):
            return inside(first)
        case form.Await(value=inner):
            return inside(inner)
        case form.Conditional(body=body, orelse=orelse):
            return inside(body, orelse)
        case form.Name(id=name) if depth:
            bindings = answer.scope.bindings.get(name, ())
            return inside(*(b.value for b in bindings if b.value is not None and b.param is None), by=1)
        case form.Call() as call:
            return _kinds_of_call(Sited(call, answer.scope), call, project, kinds, depth)
    return set()


def _kinds_of_call(answer: Sited, call: form.Call, project: Project, kinds: Kinds, depth: int) -> set[EndpointKind]:
    callee = project.callee_function(call, answer.scope)
    if callee is not None and callee.name != "__init__":
        inner = returned_by(callee) if depth else []
        return {kind for each in inner for kind in _kinds(each, project, kinds, depth - 1)}
    value = project.infer(call, answer.scope)
    type_name = last_part(value.type_name) if isinstance(value, Instance) else ""
    for name in (last_name(call.func) or "", type_name):
        if name in kinds:
            return {kinds[name]}
    return set()
