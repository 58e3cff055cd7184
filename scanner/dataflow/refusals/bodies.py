"""Handlers that turn callers away themselves, by what comes along with the request."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.refusals.answers import VERIFIERS, refuses
from assay.scanner.dataflow.refusals.credentials import is_jar, is_sent_credential, names_credentials
from assay.scanner.dataflow.refusals.functions import refusal, refuses_by_answer_alone
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST_CHECK = 3
"""Calls from a handler to the check that it makes."""
_PERMISSION_CHECKS = ("flask_principal.Permission.require", "flask_principal.Permission.test")


@remembered
def refuses_in_body(handler: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a handler itself turns away a caller whose credentials (cookie, session, header) don't hold.

    A wrong password in the body answers 401 too, but is no guard: only what depends on credentials that come along
    with every request counts.
    """
    found = _refusal_within(handler, _DEEPEST_CHECK, project)
    return handler.module.evidence(found, "turns away callers without valid credentials") if found is not None else None


@remembered
def _refusal_within(function: FunctionSymbol, depth: int, project: Project) -> form.Expr | form.Stmt | None:
    return _body_refusal(function.node.body, function.scope, project, depth)


def _body_refusal(body: list[form.Stmt], scope: Scope, project: Project, depth: int) -> form.Expr | form.Stmt | None:
    """Looks at statements that always run: an `if` inside another guards one case alone."""
    for index, statement in enumerate(body):
        match statement:
            case form.If(test=test) if names_credentials(test, scope, project) and not _is_given(test):
                is_for_known = _is_for_known_users(test) or _is_presence(test, scope, project)
                for_strangers = [] if is_for_known else statement.body
                leaving = next(_refusals([*for_strangers, *statement.orelse], scope, project), None)
                if leaving is not None:
                    return leaving
                if isinstance(statement.body[-1], form.Return) and body[index + 1 :]:
                    follows = body[index + 1]
                    return follows if refuses(follows, scope, project) else None
            case form.Try(body=inner, handlers=handlers):
                decisive = any(names_credentials(n, scope, project) for n in inner)
                caught = [s for handler in handlers for s in handler.body] if decisive else []
                leaving = next(_refusals(caught, scope, project), None)
                nested = leaving or _body_refusal(inner, scope, project, depth)
                if nested is not None:
                    return nested
            case form.With(items=items, body=inner):
                entered = next((i.value for i in items if _is_library_check(i.value, scope, project)), None)
                nested = entered or _body_refusal(inner, scope, project, depth)
                if nested is not None:
                    return nested
            case form.ExprStmt() if is_in_vain(statement, scope, project):
                pass
            case form.ExprStmt(value=value) | form.Assign(value=value) if depth and value is not None:
                checking = next((c for c in form.walk(value) if _checks_caller(c, scope, project, depth)), None)
                if checking is not None:
                    return checking
    return None


def is_in_vain(statement: form.ExprStmt, scope: Scope, project: Project) -> bool:
    """A coroutine that nobody awaits, or a refusal that is returned to a caller who drops it."""
    is_awaited = isinstance(statement.value, form.Await)
    call = statement.value.value if isinstance(statement.value, form.Await) else statement.value
    callee = project.callee_function(call, scope) if isinstance(call, form.Call) else None
    if callee is None or callee.name == "__init__":
        return False
    is_dropped = callee.node.is_async and not is_awaited and not callee.decorators
    return is_dropped or refuses_by_answer_alone(callee, project)


def _is_for_known_users(test: form.Expr) -> bool:
    """`user.is_authenticated`, alone or as one of several conditions: what follows on it turns no stranger away."""
    match test:
        case form.Boolean(values=values):
            return any(_is_for_known_users(value) for value in values)
        case form.Call(func=func):
            return _is_for_known_users(func)
    return isinstance(test, form.Attr) and test.attr == "is_authenticated"


def _is_presence(test: form.Expr, scope: Scope, project: Project) -> bool:
    """`if token:`, of a header or cookie: who sends none goes past what follows on it."""
    for binding in scope.bindings.get(test.id, ()) if isinstance(test, form.Name) else ():
        match binding.value:
            case form.Call(func=form.Attr(value=owner, attr="get")) if is_jar(owner, scope, project):
                return True
        if binding.param is not None and is_sent_credential(binding.param, scope, project):
            return True
    return False


def _checks_caller(node: form.Expr | form.Stmt, scope: Scope, project: Project, depth: int) -> bool:
    """`require(request.authz.can_write)`, `get_project(project_id)`: a call of something that turns strangers away, by
    what it is given of the caller or by what it finds itself.
    """
    if _is_library_check(node, scope, project):
        return True
    callee = project.callee_function(node, scope) if isinstance(node, form.Call) else None
    if callee is None or not isinstance(node, form.Call) or callee.name == "__init__":
        return False
    if any(names_credentials(a.value, scope, project) for a in node.args) and refusal(callee, project) is not None:
        return True
    return _refusal_within(callee, depth - 1, project) is not None


def _is_library_check(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """`verify_jwt_in_request()`, `with admin_permission.require(403)`."""
    if not isinstance(node, form.Call):
        return False
    name = last_name(node.func)
    if name in VERIFIERS:
        return node.keyword("optional") is None
    return name in ("require", "test") and project.callee_name(node, scope) in _PERMISSION_CHECKS


def _is_given(test: form.Expr) -> bool:
    """`user is not None`: what follows is for known callers, such as the way from the login page to their own."""
    return isinstance(test, form.Compare) and test.ops == ["is not"]


def _refusals(body: list[form.Stmt], scope: Scope, project: Project) -> Iterator[form.Expr | form.Stmt]:
    return (n for n in form.walk_body(body, into_definitions=False) if refuses(n, scope, project))
