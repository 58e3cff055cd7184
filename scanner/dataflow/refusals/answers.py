"""Answers that turn a caller away: 401, 403, a redirect to the login page, and exceptions that lead to one."""

from __future__ import annotations

from assay.scanner.dataflow.constants import constant
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.readers.python import form

_REFUSING_NAMES = frozenset(
    """Unauthorized Forbidden HTTPUnauthorized HTTPForbidden NotAuthenticated AuthenticationFailed PermissionDenied
    NotAuthorized NotAuthorizedException PermissionDeniedException AuthenticationError AuthorizationError
    HttpResponseForbidden""".split()
)
_STATUS_CARRIERS = frozenset({"HTTPException", "HTTPError", "WebSocketException", "abort", "make_response", "Response",
    "JSONResponse", "PlainTextResponse", "HTMLResponse", "HTTPResponse", "HttpResponse", "JsonResponse", "HttpError",
    "SanicException", "json_response", "jsonify", "json", "text", "html"})  # fmt: skip
_TURNED_AWAY = (401, 403, 1008, 3000, 3003, 4001, 4003, 4401, 4403)
"""Statuses, and codes with which WebSockets are closed, for callers who may not."""
_REFUSING_METHODS = frozenset({"unauthorized", "forbidden", "handle_needs_login"})
VERIFIERS = frozenset({"verify_jwt_in_request", "verify_fresh_jwt_in_request", "verify_jwt_refresh_token_in_request"})
"""Library functions that raise for a caller without a valid token."""
_ANSWERING_METHODS = frozenset({"redirect", "send_error", "set_status"})
_HANDLER_REGISTRATIONS = (
    "exception_handler", "add_exception_handler", "errorhandler", "register_error_handler", "exception", "add",
)  # fmt: skip
_LOGIN_WORDS = ("login", "log_in", "log-in", "signin", "sign_in", "sign-in", "unauthorized")


def refuses(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    """Whether it turns the caller away there and then: raises, returns, sends or sets such an answer."""
    match node:
        case form.Raise(exc=exc) if exc is not None:
            return _is_refusal_value(exc, scope, project)
        case form.Return(value=value) if value is not None:
            return _is_refusal_value(value, scope, project)
        case form.Call(func=response, args=[_, _, form.Arg(value=form.Name(id="send"))]):
            return _is_refusal_value(response, scope, project)  # `await response(scope, receive, send)`
        case form.Call(func=func):
            name = last_name(func)
            if name in VERIFIERS:
                return node.keyword("optional") is None
            if isinstance(func, form.Attr) and form.dotted(func.value) == "self" and name in _ANSWERING_METHODS:
                return _is_refusal_answer(node, scope, project)
            return (name == "abort" and _is_refusal_value(node, scope, project)) or name in _REFUSING_METHODS
        case form.Assign(targets=[form.Attr(value=owner, attr="status" | "status_code")], value=value):
            is_answer = last_name(owner) in ("response", "resp")
            return is_answer and value is not None and status_code(value, scope, project) in _TURNED_AWAY
    return False


def _is_refusal_answer(call: form.Call, scope: Scope, project: Project) -> bool:
    """A handler's own `self.send_error(403)` or `self.redirect(login_url)`."""
    if last_name(call.func) == "redirect":
        return any(_leads_to_login(a.value, scope, project) for a in call.args)
    return any(status_code(a.value, scope, project) in _TURNED_AWAY for a in call.args[:1])


def _is_refusal_value(node: form.Expr, scope: Scope, project: Project, depth: int = 6) -> bool:
    """An exception or response that says 401 or 403, or leads to the login page."""
    match node:
        case form.Await(value=inner):
            return _is_refusal_value(inner, scope, project, depth)
        case form.Display(kind="tuple", items=[first, second, *_]):
            is_refused = status_code(second, scope, project) in _TURNED_AWAY
            return is_refused or _is_refusal_value(first, scope, project, depth)
        case form.Call():
            return _is_refusal_call(node, scope, project)
        case form.Name() | form.Attr():
            value = project.infer(node, scope)
            if isinstance(value, External):
                return last_part(value.name) in _REFUSING_NAMES
            if isinstance(value, ClassSymbol):
                return _is_refusing_class(value, project)
            if isinstance(value, Instance) and value.origin is not None and value.scope is not None and depth:
                return _is_refusal_value(value.origin, value.scope, project, depth - 1)
    return False


def _is_refusal_call(call: form.Call, scope: Scope, project: Project) -> bool:
    callee = project.infer(call.func, scope)
    if isinstance(callee, ClassSymbol) and _is_refusing_class(callee, project):
        return True
    if isinstance(callee, FunctionSymbol) and _makes_refusal(callee, call, scope, project):
        return True
    name = last_name(call.func) or ""
    if isinstance(callee, External) and last_part(callee.name) in _REFUSING_NAMES:
        return True  # whatever it is imported as
    if name in _REFUSING_NAMES or name in _REFUSING_METHODS:
        return True
    if name in ("redirect", "RedirectResponse", "HTTPFound", "HTTPSeeOther"):
        return any(_leads_to_login(a.value, scope, project) for a in call.args)
    named = {name, last_part(callee.name) if isinstance(callee, External) else ""}
    is_own = isinstance(callee, ClassSymbol) and _is_http_error(callee, project)
    if is_own or not named.isdisjoint(_STATUS_CARRIERS):
        headers = call.keyword("headers")
        if headers is not None and _redirects(call, scope, project) and _leads_to_login(headers, scope, project):
            return True
        return any(
            status_code(a.value, scope, project) in _TURNED_AWAY or _is_refusal_value(a.value, scope, project)
            for a in call.args
            if a.name in (None, "status_code", "status", "code", "response")
        )
    return False


def _makes_refusal(function: FunctionSymbol, call: form.Call, scope: Scope, project: Project) -> bool:
    """Whether it makes a response with a status that it is given: `error("wrong key", 401)`."""
    given = arguments(call, scope, function, project)
    made = (node.value for node in function.returns if isinstance(node.value, form.Call))
    return any(
        status_code(argument.value, function.scope, project, given) in _TURNED_AWAY
        for response in made
        if last_name(response.func) in _STATUS_CARRIERS
        for argument in response.args
        if argument.name in (None, "status_code", "status", "code") and isinstance(argument.value, form.Name)
    )


def _redirects(call: form.Call, scope: Scope, project: Project) -> bool:
    codes = (status_code(a.value, scope, project) for a in call.args if a.name in (None, "status_code", "status"))
    return any(code in (302, 303, 307) for code in codes)


def _is_http_error(cls: ClassSymbol, project: Project) -> bool:
    return any(last_part(name) in _STATUS_CARRIERS for name in project.base_names(cls))


@remembered
def _is_refusing_class(cls: ClassSymbol, project: Project) -> bool:
    """A project's exception that answers 401 or 403: by its base, by a class attribute, or by what `__init__` says."""
    if any(last_part(name) in _REFUSING_NAMES for name in project.base_names(cls)):
        return True
    for attribute in ("status_code", "code", "status", "http_status", "HTTP_STATUS", "STATUS_CODE"):
        found = project.class_attribute(cls, attribute)
        if found is not None and status_code(*found, project) in _TURNED_AWAY:
            return True
    if _is_answered_with_refusal(cls, project):
        return True
    init = project.method(cls, "__init__")
    if init is None or not _is_http_error(cls, project):
        return False
    calls = (n for n in init.walk() if isinstance(n, form.Call) and last_name(n.func) == "__init__")
    return any(status_code(a.value, init.scope, project) in _TURNED_AWAY for call in calls for a in call.args)


def _is_answered_with_refusal(cls: ClassSymbol, project: Project) -> bool:
    """A handler that the app has for the exception answers 401 or 403."""
    for call, scope in project.calls_named(*_HANDLER_REGISTRATIONS):
        owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
        if last_name(call.func) == "add" and owner != "error_handler":
            continue  # to a set
        if all(project.infer(raised, scope) is not cls for raised in call.positional):
            continue
        given = call.argument(1, "handler") or call.keyword("f")
        handler = project.infer(given, scope) if given is not None else None
        decorated = [f for f in scope.module.functions if call in f.decorators]
        for function in [handler, *decorated]:
            if isinstance(function, FunctionSymbol) and any(
                refuses(node, function.scope, project) for node in function.walk()
            ):
                return True
    return False


def _leads_to_login(node: form.Expr, scope: Scope, project: Project) -> bool:
    for inner in form.walk(node):
        text: str | None = None
        if isinstance(inner, form.Const | form.Template):
            found = constant(inner, scope, project)
            text = found.value if found is not None and isinstance(found.value, str) else None
        elif isinstance(inner, form.Name | form.Attr):
            text = last_name(inner)
        if text is not None and any(word in text.lower() for word in _LOGIN_WORDS):
            return True
    return False
