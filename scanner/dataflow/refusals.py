"""Refusals: where code turns a caller away for who they are, with 401, 403 or a redirect to the login page."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus

from assay.scanner.dataflow.constants import constant, int_value, string_value
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_DEEPEST = 4
"""Calls that a refusal may hide behind."""
_REFUSING_NAMES = frozenset(
    """Unauthorized Forbidden HTTPUnauthorized HTTPForbidden NotAuthenticated AuthenticationFailed PermissionDenied
    NotAuthorized NotAuthorizedException""".split()
)
_STATUS_CARRIERS = frozenset({"HTTPException", "HTTPError", "WebSocketException", "abort", "make_response", "Response",
    "JSONResponse", "PlainTextResponse", "HTMLResponse", "json_response", "jsonify"})  # fmt: skip
_REFUSING_METHODS = frozenset({"unauthorized", "forbidden", "handle_needs_login"})
_HANDLER_REGISTRATIONS = ("exception_handler", "add_exception_handler", "errorhandler", "register_error_handler")
_LOGIN_WORDS = ("login", "log_in", "log-in", "signin", "sign_in", "sign-in", "unauthorized")
_CREDENTIALS = frozenset(
    """current_user authorization get_jwt_identity verify_jwt_in_request get_jwt
    is_authenticated get_identity authorized_userid get_auth_user get_current_user verify_id_token""".split()
)
_WEB_SESSIONS = frozenset({"flask.session", "quart.session", "aiohttp_session.get_session"})
_CALLER_WORDS = ("auth", "user", "token", "login", "logged", "session", "identity", "credential", "permission", "admin",
    "api_key", "apikey", "signature", "jwt", "anonymous", "account", "role", "headers", "cookies")  # fmt: skip
_PLACE_WORDS = ("path", "endpoint", "method", "blueprint", "url", "host", "remote_addr")
_OTHER_ENDS = ("csrf", "xsrf", "state", "nonce", "next", "redirect", "lang", "locale", "flash", "captcha", "consent")
"""What keys of a session or names of cookies speak of when they say nothing about who is asking."""
_CREDENTIAL_HEADERS = ("authorization", "cookie", "x-api-key", "api-key", "x-auth", "token", "signature", "secret")


def status_code(node: form.Expr, scope: Scope, project: Project) -> int | None:
    """The HTTP status an expression names: 403, `status.HTTP_403_FORBIDDEN`, `HTTPStatus.FORBIDDEN`, a constant."""
    found = int_value(node, scope, project)
    if found is not None:
        return found
    value = project.infer(node, scope)
    name = last_part(value.name) if isinstance(value, External) else (last_name(node) or "")
    for part in name.split("_"):
        if len(part) == 3 and part.isdigit():
            return int(part)
    return HTTPStatus[name].value if name in HTTPStatus.__members__ else None


def refusal(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a function (a dependency, a hook, a decorator's wrapper) turns callers away, itself or in what it calls."""
    return _refusal(function, project, _DEEPEST, set())


def _refusal(function: FunctionSymbol, project: Project, depth: int, seen: set[FunctionSymbol]) -> Evidence | None:
    if function in seen or not depth or "csrf" in function.name.lower():
        return None  # forgery protection refuses requests of strangers and friends alike
    seen.add(function)
    nodes = list(function.walk())
    for node in nodes:
        if _refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    for node in nodes:
        if isinstance(node, form.Call):
            callee = project.callee_function(node, function.scope)
            found = _refusal(callee, project, depth - 1, seen) if callee is not None else None
            if found is not None:
                return found
    return None


def refusal_of_strangers(hook: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a hook that runs before every request turns away callers of whom nothing is known.

    `if current_user.banned: abort(403)` does not, nor does a page that says the site is being set up.
    """
    return _refusal_of_strangers(hook, project, _DEEPEST)


def _refusal_of_strangers(function: FunctionSymbol, project: Project, depth: int) -> Evidence | None:
    if not depth or "csrf" in function.name.lower():
        return None
    nodes = list(_met_by_strangers(function.node.body, decided=True))
    for node in nodes:
        if _refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    callees = (project.callee_function(n, function.scope) for n in nodes if isinstance(n, form.Call))
    found = (_refusal_of_strangers(callee, project, depth - 1) for callee in callees if callee is not None)
    return next((f for f in found if f is not None), None)


def _met_by_strangers(body: list[form.Stmt], *, decided: bool) -> Iterator[form.Expr | form.Stmt]:
    """What runs for a caller without credentials. `decided` is unset below a condition that has to do neither with who
    is asking nor with what is asked for.
    """
    for statement in body:
        match statement:
            case form.If(test=test, body=then, orelse=orelse):
                is_about_caller = _has_word(test, _CALLER_WORDS)
                below = is_about_caller or (decided and _has_word(test, _PLACE_WORDS))
                if not (is_about_caller and _holds_for_known_callers(test)):
                    yield from _met_by_strangers(then, decided=below)
                yield from _met_by_strangers(orelse, decided=below)
            case form.Try(body=inner, handlers=handlers, orelse=orelse, final=final):
                for block in (inner, *(h.body for h in handlers), orelse, final):
                    yield from _met_by_strangers(block, decided=decided)
            case form.With(body=inner) | form.For(body=inner) | form.While(body=inner):
                yield from _met_by_strangers(inner, decided=decided)
            case form.Function() | form.Class():
                pass
            case _:
                yield from form.walk(statement) if decided else ()


def _has_word(test: form.Expr, words: tuple[str, ...]) -> bool:
    names = ((last_name(n) or "").lower() for n in form.walk(test) if isinstance(n, form.Name | form.Attr))
    return any(word in name for name in names for word in words)


def _holds_for_known_callers(test: form.Expr) -> bool:
    """`user`, `current_user.is_authenticated`, `user is not None and user.banned`."""
    match test:
        case form.Boolean(values=values):
            return all(_holds_for_known_callers(v) for v in values if _has_word(v, _CALLER_WORDS))
        case form.Unary(op="not"):
            return False
        case form.Compare(ops=ops):
            return ops == ["is not"]
    return "anonymous" not in (last_name(test.func if isinstance(test, form.Call) else test) or "")


def refuses_by_decorator(decorator: form.Expr, scope: Scope, project: Project) -> Evidence | None:
    """Where a decorator of the project turns callers away: in the wrapper it defines, or in a decorator it applies."""
    callee = project.infer(decorator.func if isinstance(decorator, form.Call) else decorator, scope)
    function = callee.function if isinstance(callee, BoundMethod) else callee
    if isinstance(function, ClassSymbol):
        function = project.method(function, "__call__")
    elif isinstance(function, Instance) and function.cls is not None:
        function = project.method(function.cls, "__call__")
    if not isinstance(function, FunctionSymbol):
        return None
    return _refuses_when_applied(function, project, _DEEPEST)


def _refuses_when_applied(function: FunctionSymbol, project: Project, depth: int) -> Evidence | None:
    inner = [f for f in function.module.functions if f is not function and _inside(f.outer, function.scope)]
    for wrapper in inner:
        found = refusal(wrapper, project)
        if found is not None:
            return found
    if not depth:
        return None
    for returned in function.returns():
        for call in form.walk(returned) if isinstance(returned.value, form.Call) else ():
            callee = project.infer(call.func, function.scope) if isinstance(call, form.Call) else None
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


def _inside(scope: Scope | None, outer: Scope) -> bool:
    while scope is not None and scope is not outer:
        scope = scope.parent
    return scope is outer


def refuses_in_body(handler: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a handler itself turns away a caller whose credentials (cookie, session, header) don't hold.

    A wrong password in the body answers 401 too, but is no guard: only what depends on credentials that come along
    with every request counts.
    """
    found = _body_refusal(handler.node.body, handler.scope, project)
    return handler.module.evidence(found, "turns away callers without valid credentials") if found is not None else None


def _body_refusal(body: list[form.Stmt], scope: Scope, project: Project) -> form.Expr | form.Stmt | None:
    """Looks at statements that always run: an `if` inside another guards one case alone."""
    for index, statement in enumerate(body):
        match statement:
            case form.If(test=test, body=then, orelse=orelse):
                if _names_credentials(test, scope, project):
                    leaving = next(_refusals(then, scope, project), None) or next(
                        _refusals(orelse, scope, project), None
                    )
                    if leaving is not None:
                        return leaving
                    if isinstance(then[-1], form.Return) and body[index + 1 :]:
                        follows = body[index + 1]
                        return follows if _refuses(follows, scope, project) else None
            case form.Try(body=inner, handlers=handlers):
                decisive = any(_names_credentials(n, scope, project) for n in inner)
                for handler in handlers if decisive else ():
                    leaving = next(_refusals(handler.body, scope, project), None)
                    if leaving is not None:
                        return leaving
                nested = _body_refusal(inner, scope, project)
                if nested is not None:
                    return nested
            case form.With(body=inner):
                nested = _body_refusal(inner, scope, project)
                if nested is not None:
                    return nested
    return None


def _refusals(body: list[form.Stmt], scope: Scope, project: Project) -> Iterator[form.Expr | form.Stmt]:
    return (n for n in form.walk_body(body, into_definitions=False) if _refuses(n, scope, project))


def _names_credentials(
    node: form.Expr | form.Stmt, scope: Scope, project: Project, seen: frozenset[str] = frozenset()
) -> bool:
    """Whether the value hangs on something that comes along with every request and says who is asking."""
    match node:
        case form.Function() | form.Class() | form.Lambda():
            return False
        case form.Call(func=form.Attr(value=owner, attr="get" | "pop"), args=[key, *_]) if _is_jar(
            owner, scope, project
        ):
            return _is_credential_key(last_name(owner), key.value, scope, project)
        case form.Subscript(value=owner, index=index) if _is_jar(owner, scope, project):
            return _is_credential_key(last_name(owner), index, scope, project)
        case form.Name(id=name) | form.Attr(attr=name) if name in _CREDENTIALS or _is_jar(node, scope, project):
            return True
        case form.Name(id=name) if name not in seen and len(seen) < 8:
            local = scope.bindings.get(name, ())
            values = [b.value for b in local if b.value is not None and b.param is None]
            return any(_names_credentials(v, scope, project, seen | {name}) for v in values)
    return any(_names_credentials(child, scope, project, seen) for child in form.children(node))


def _is_jar(node: form.Expr, scope: Scope, project: Project) -> bool:
    """The request's headers, cookies or session; a database's session is none."""
    match node:
        case form.Attr(value=owner, attr="headers" | "cookies" | "session"):
            return last_name(owner) in ("request", "req", "websocket")
        case form.Name(id="session"):
            value = project.infer(node, scope)
            name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
            return name in _WEB_SESSIONS
    return False


def _is_credential_key(jar: str | None, key: form.Expr, scope: Scope, project: Project) -> bool:
    """A header must name a credential; of a session or the cookies, all but what serves another end."""
    known = string_value(key, scope, project)
    if jar == "headers":
        return known is not None and any(word in known.lower() for word in _CREDENTIAL_HEADERS)
    return known is None or not any(word in known.lower() for word in _OTHER_ENDS)


def _refuses(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    match node:
        case form.Raise(exc=exc) if exc is not None:
            return _is_refusal_value(exc, scope, project)
        case form.Return(value=value) if value is not None:
            return _is_refusal_value(value, scope, project)
        case form.Call(func=func):
            name = last_name(func)
            return (name == "abort" and _is_refusal_value(node, scope, project)) or name in _REFUSING_METHODS
    return False


def _is_refusal_value(node: form.Expr, scope: Scope, project: Project, depth: int = 6) -> bool:
    """An exception or response that says 401 or 403, or leads to the login page."""
    match node:
        case form.Await(value=inner):
            return _is_refusal_value(inner, scope, project, depth)
        case form.Display(kind="tuple", items=[first, second, *_]):
            return status_code(second, scope, project) in (401, 403) or _is_refusal_value(first, scope, project, depth)
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
    name = last_name(call.func) or ""
    if name in _REFUSING_NAMES or name in _REFUSING_METHODS:
        return True
    if name in ("redirect", "RedirectResponse", "HTTPFound", "HTTPSeeOther"):
        return any(_leads_to_login(a.value, scope, project) for a in call.args)
    if name in _STATUS_CARRIERS or (isinstance(callee, ClassSymbol) and _is_http_error(callee, project)):
        return any(
            status_code(a.value, scope, project) in (401, 403) or _is_refusal_value(a.value, scope, project)
            for a in call.args
            if a.name in (None, "status_code", "status", "code", "response")
        )
    return False


def _is_http_error(cls: ClassSymbol, project: Project) -> bool:
    return any(last_part(name) in _STATUS_CARRIERS for name in project.base_names(cls))


def _is_refusing_class(cls: ClassSymbol, project: Project) -> bool:
    """A project's exception that answers 401 or 403: by its base, by a class attribute, or by what `__init__` says."""
    if any(last_part(name) in _REFUSING_NAMES for name in project.base_names(cls)):
        return True
    for attribute in ("status_code", "code", "status", "http_status"):
        found = project.class_attribute(cls, attribute)
        if found is not None and status_code(*found, project) in (401, 403):
            return True
    if _is_answered_with_refusal(cls, project):
        return True
    init = project.method(cls, "__init__")
    if init is None or not _is_http_error(cls, project):
        return False
    calls = (n for n in init.walk() if isinstance(n, form.Call) and last_name(n.func) == "__init__")
    return any(status_code(a.value, init.scope, project) in (401, 403) for call in calls for a in call.args)


def _is_answered_with_refusal(cls: ClassSymbol, project: Project) -> bool:
    """A handler that the app has for the exception answers 401 or 403."""
    for call, scope in project.calls_named(*_HANDLER_REGISTRATIONS):
        raised = call.args[0].value if call.args else None
        if raised is None or project.infer(raised, scope) is not cls:
            continue
        given = call.argument(1, "handler") or call.keyword("f")
        handler = project.infer(given, scope) if given is not None else None
        decorated = [f for f in scope.module.functions if call in f.decorators]
        for function in [handler, *decorated]:
            if isinstance(function, FunctionSymbol) and any(
                _refuses(node, function.scope, project) for node in function.walk()
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
