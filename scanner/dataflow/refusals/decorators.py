"""Decorators of the project that turn callers away before the handler runs."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.refusals.credentials import names_credentials
from assay.scanner.dataflow.refusals.functions import DEEPEST, refusal
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form


def refuses_by_decorator(decorator: form.Expr, scope: Scope, project: Project) -> Evidence | None:
    """Where a decorator of the project turns callers away: in the wrapper it defines, or in a decorator it applies."""
    callee = project.infer(decorator.func if isinstance(decorator, form.Call) else decorator, scope)
    function = callee.function if isinstance(callee, BoundMethod) else callee
    cls = function.cls if isinstance(function, Instance) else function
    if isinstance(cls, ClassSymbol):
        # `apply` is what plugins have that are applied to handlers as decorators are.
        function = project.method(cls, "__call__") or project.method(cls, "apply")
    if not isinstance(function, FunctionSymbol):
        return None
    return _refuses_when_applied(function, project, DEEPEST)


def _refuses_when_applied(function: FunctionSymbol, project: Project, depth: int) -> Evidence | None:
    if "csrf" in function.name.lower():
        return None
    inner = [f for f in function.module.functions if f is not function and _inside(f.outer, function.scope)]
    for wrapper in inner:
        found = refusal(wrapper, project) or _diversion(wrapper, project)
        if found is not None:
            return found
    if not depth:
        return None
    for call, scope in (*_returned(function), *(made for each in inner for made in _applied(each))):
        callee = project.infer(call.func, scope)
        if isinstance(callee, ClassSymbol):
            callee = project.method(callee, "__call__")
        if isinstance(callee, Instance) and callee.cls is not None:
            callee = project.method(callee.cls, "__call__")
        if isinstance(callee, BoundMethod):
            callee = callee.function
        if isinstance(callee, FunctionSymbol) and callee is not function:
            found = _refuses_when_applied(callee, project, depth - 1)
            if found is not None:
                return found
    return None


def _returned(function: FunctionSymbol) -> Iterator[tuple[form.Call, Scope]]:
    """The calls in what the function gives back."""
    for returned in function.returns:
        for call in form.walk(returned) if isinstance(returned.value, form.Call) else ():
            if isinstance(call, form.Call):
                yield call, function.scope


def _applied(function: FunctionSymbol) -> Iterator[tuple[form.Call, Scope]]:
    """`requires(scopes)` of `requires(scopes)(handler)`, in a decorator that is made where it stands."""
    parameters = {p.name for p in function.parameters}
    for node in function.walk():
        match node:
            case form.Call(func=form.Call() as made, args=[form.Arg(value=form.Name(id=name))]) if name in parameters:
                yield made, function.scope


def _diversion(wrapper: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a wrapper answers callers without credentials in words of its own, and only hands others on."""

    def hands_on(body: list[form.Stmt]) -> bool:
        calls = (n.func for n in form.walk_body(body) if isinstance(n, form.Call) and isinstance(n.func, form.Name))
        bindings = (b for func in calls for b in wrapper.scope.lookup(func.id))
        return any(b.param is not None and b.function is not wrapper for b in bindings)

    for index, statement in enumerate(wrapper.node.body):
        # Further away, a key that is made of the user's name finds an answer in a cache.
        if not isinstance(statement, form.If) or not names_credentials(statement.test, wrapper.scope, project, most=2):
            continue
        then, rest = statement.body, statement.orelse or wrapper.node.body[index + 1 :]
        for served, turned_aside in ((rest, then), (then, rest)):
            answers = [n for n in form.walk_body(turned_aside) if isinstance(n, form.Return) and n.value is not None]
            if answers and hands_on(served) and not hands_on(turned_aside):
                return wrapper.module.evidence(answers[0], "answers callers without credentials itself")
    return None


def _inside(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer
