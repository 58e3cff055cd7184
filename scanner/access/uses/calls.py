"""Checks that a handler or a helper calls: a coroutine that nobody awaits, an answer that nobody listens to."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.access.uses.found import Use
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.refusals.credentials import uses_credentials
from assay.scanner.dataflow.refusals.functions import refusal, refuses_by_answer_alone
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External
from assay.scanner.model.access import GuardAction
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.web.guard_names import names_a_check, names_a_guard

_COROUTINES = frozenset(
    {"aiohttp_security.check_authorized", "aiohttp_security.check_permission", "aiohttp_security.api.check_authorized",
     "aiohttp_security.api.check_permission"}
)  # fmt: skip
_ANSWERING = frozenset({"has_perm", "has_perms", "has_module_perms", "has_permission", "compare_digest", "test_func"})
_LOGGING = frozenset({"debug", "info", "warning", "warn", "error", "exception", "critical", "log", "print"})
_CALLERS = frozenset(
    "user request token account member credentials credential key authorization auth session headers".split()
)
"""Words of parameters that stand for who is asking."""


def call_uses(project: Project) -> Iterator[Use]:
    """Of checks whose result goes nowhere."""
    scopes = dict[Scope, None]()
    for call, scope in project.calls:
        name = last_name(call.func)
        if name is not None and scope.module.role is Role.PROD and _may_be_check(name):
            scopes[scope] = None
    for scope in scopes:
        if scope.function is not None:
            yield from _in_function(scope.function, project)


def _may_be_check(name: str) -> bool:
    return names_a_check(name) or names_a_guard(name) or name in _ANSWERING


def _in_function(function: FunctionSymbol, project: Project) -> Iterator[Use]:
    for statement in form.walk_body(function.node.body, into_definitions=False):
        if not isinstance(statement, form.ExprStmt):
            continue
        is_awaited = isinstance(statement.value, form.Await)
        call = statement.value.value if isinstance(statement.value, form.Await) else statement.value
        name = last_name(call.func) if isinstance(call, form.Call) else None
        if not isinstance(call, form.Call) or name is None or not _may_be_check(name):
            continue
        action = _action(call, name, function, is_awaited, project)
        if action is not None:
            yield Use(name, function.id, Sited(call, function.scope), action)


def _action(
    call: form.Call, name: str, function: FunctionSymbol, is_awaited: bool, project: Project
) -> GuardAction | None:
    value = project.infer(call.func, function.scope)
    callee = value.function if isinstance(value, BoundMethod) else value
    if isinstance(callee, External):
        if callee.name in _COROUTINES:
            return GuardAction.ACTS if is_awaited else GuardAction.NOT_AWAITED
        return GuardAction.IGNORED if name in _ANSWERING else None
    if isinstance(callee, FunctionSymbol):
        is_coroutine = callee.node.is_async and not _yields(callee)
        refuses = refusal(callee, project) is not None
        if is_coroutine and not is_awaited and (function.node.is_async or not callee.decorators):
            return GuardAction.NOT_AWAITED if refuses else None
        if refuses:
            return GuardAction.LOST if refuses_by_answer_alone(callee, project) else GuardAction.ACTS
        is_about_caller = any(not _CALLERS.isdisjoint(words(param.name)) for param in callee.parameters)
        is_about_caller = is_about_caller or uses_credentials(callee, project) is not None
        return GuardAction.IGNORED if is_about_caller and _only_answers(callee, project) else None
    return GuardAction.IGNORED if name in _ANSWERING and value is None else None


def _yields(function: FunctionSymbol) -> bool:
    return any(isinstance(node, form.Yield) for node in function.walk())


@remembered
def _only_answers(function: FunctionSymbol, project: Project) -> bool:
    """Whether it says yes or no, does nothing else, and ends nothing itself nor in what it calls of the project."""
    if any(_does(node) for node in function.walk()):
        return False
    answers = [node.value for node in function.returns]
    if answers and all(value is not None and _compares(value) for value in answers):
        return not any(_may_end(node, function, project) for node in function.walk())
    says_no = any(isinstance(value, form.Const) and value.value is False for value in answers)
    says_yes = any(
        (isinstance(value, form.Const) and value.value is True) or isinstance(value, form.Compare | form.Boolean)
        for value in answers
    )
    return says_no and says_yes and not any(_may_end(node, function, project) for node in function.walk())


def _does(node: form.Expr | form.Stmt) -> bool:
    """Whether it keeps something beyond the function, or calls something for what that does; logs are no deed."""
    match node:
        case form.Assign(targets=targets):
            return any(isinstance(target, form.Attr | form.Subscript) for target in targets)
        case form.ExprStmt(value=value):
            call = value.value if isinstance(value, form.Await) else value
            return isinstance(call, form.Call) and last_name(call.func) not in _LOGGING
    return False


def _compares(node: form.Expr) -> bool:
    match node:
        case form.Compare():
            return True
        case form.Unary(op="not", operand=_):
            return True
        case form.Boolean(values=values):
            return all(_compares(value) for value in values)
        case form.Call(func=func):
            return last_name(func) == "compare_digest"
    return False


def _may_end(node: form.Expr | form.Stmt, function: FunctionSymbol, project: Project) -> bool:
    if isinstance(node, form.Raise):
        return True
    callee = project.callee_function(node, function.scope) if isinstance(node, form.Call) else None
    return callee is not None and any(isinstance(inner, form.Raise) for inner in callee.walk())
