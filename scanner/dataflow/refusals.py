"""Refusals: where code turns a caller away for who they are, with 401, 403 or a redirect to the login page."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeAlias
from weakref import WeakKeyDictionary

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.constants import Given, constant, int_value, string_value
from assay.scanner.dataflow.expansion import arguments
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod, External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_NOTHING: Given = {}
_DEEPEST = 4
"""Calls that a refusal may hide behind."""
_DEEPEST_CHECK = 3
"""Calls from a handler to the check that it makes."""
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
_VERIFIERS = frozenset({"verify_jwt_in_request", "verify_fresh_jwt_in_request", "verify_jwt_refresh_token_in_request"})
"""Library functions that raise for a caller without a valid token."""
_PERMISSION_CHECKS = ("flask_principal.Permission.require", "flask_principal.Permission.test")
_NEXT = frozenset({"handler", "call_next", "get_response", "next_handler"})
"""What middleware calls the rest of the chain."""
_ANSWERING_METHODS = frozenset({"redirect", "send_error", "set_status"})
_HANDLER_REGISTRATIONS = (
    "exception_handler", "add_exception_handler", "errorhandler", "register_error_handler", "exception", "add",
)  # fmt: skip
_LOGIN_WORDS = ("login", "log_in", "log-in", "signin", "sign_in", "sign-in", "unauthorized")
_CREDENTIALS = frozenset(
    """current_user authorization get_jwt_identity verify_jwt_in_request get_jwt
    is_authenticated get_identity authorized_userid get_auth_user get_current_user verify_id_token authenticated_userid
    unauthenticated_userid""".split()
)
_REQUESTS = ("request", "req", "websocket")
_CARRIERS = (*_REQUESTS, "connection", "ctx", "state", "g")
_CARRIED = ("auth", "authz", "user", "token", "credentials")
"""What frameworks keep who is asking on."""
_READERS = {
    "get_cookie": "cookies",
    "get_secure_cookie": "cookies",
    "get_signed_cookie": "cookies",
    "get_header": "headers",
}
"""Methods of requests and handlers that read from a jar by key."""
_DECLARED_JARS = {"Header": "headers", "Cookie": "cookies"}
_WEB_SESSIONS = frozenset({"flask.session", "quart.session", "aiohttp_session.get_session"})
_CALLER_WORDS = ("auth", "user", "token", "login", "logged", "session", "identity", "credential", "permission", "admin",
    "api_key", "apikey", "signature", "jwt", "anonymous", "account", "role", "header", "cookie")  # fmt: skip
_PLACE_WORDS = ("path", "endpoint", "method", "blueprint", "url", "host", "remote_addr")
_CAUGHT = frozenset({"HTTPException", "StarletteHTTPException", "Exception", "BaseException"})
_ADDRESSES = ("host", "remote_addr", "client_ip", "ip")
_OTHER_ENDS = ("csrf", "xsrf", "state", "nonce", "next", "redirect", "lang", "locale", "flash", "captcha", "consent")
"""What keys of a session or names of cookies speak of when they say nothing about who is asking."""
_CREDENTIAL_HEADERS = ("authorization", "cookie", "-key", "x-auth", "token", "signature", "secret")


def status_code(node: form.Expr, scope: Scope, project: Project, given: Given = _NOTHING) -> int | None:
    """The HTTP status an expression names: 403, `status.HTTP_403_FORBIDDEN`, `HTTPStatus.FORBIDDEN`, a constant."""
    found = int_value(node, scope, project, given)
    if found is not None:
        return found
    value = project.infer(node, scope)
    name = last_part(value.name) if isinstance(value, External) else (last_name(node) or "")
    for part in name.split("_"):  # `WS_1008_POLICY_VIOLATION` too
        if len(part) in (3, 4) and part.isdigit():
            return int(part)
    return HTTPStatus[name].value if name in HTTPStatus.__members__ else None


def refusal(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a function (a dependency, a hook, a decorator's wrapper) turns callers away, itself or in what it calls."""
    return _refusal(function, project, _DEEPEST, set())


def _is_switch(function: FunctionSymbol) -> bool:
    """Whether it decides without knowing the caller: it takes nothing, and speaks of nobody."""
    body = function.node.body
    decides = any(isinstance(node, form.If) for node in body)
    return decides and not function.parameters and not any(_has_word(node, _CALLER_WORDS) for node in body)


@remembered
def refuses_by_answer_alone(function: FunctionSymbol, project: Project) -> bool:
    """Whether it turns callers away by the response that it returns alone, which whoever calls it has to hand on."""
    nodes = list(function.walk())
    refusing = [node for node in nodes if _refuses(node, function.scope, project)]
    if not refusing or not all(isinstance(node, form.Return) for node in refusing):
        return False
    callees = (_called(node, function.scope, project) for node in nodes if isinstance(node, form.Call))
    others = [callee for callee in callees if callee is not None and callee is not function]
    return not any(isinstance(node, form.Raise) for node in nodes) and not any(refusal(f, project) for f in others)


def _refusal(function: FunctionSymbol, project: Project, depth: int, seen: set[FunctionSymbol]) -> Evidence | None:
    if function in seen or not depth or "csrf" in function.name.lower():
        return None  # forgery protection refuses requests of strangers and friends alike
    seen.add(function)
    nodes = list(function.walk())
    for node in nodes:
        if _refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    for node in nodes:
        if isinstance(node, form.Call) and not _is_handed_in(node.func, function.scope):
            callee = _called(node, function.scope, project)
            found = _refusal(callee, project, depth - 1, seen) if callee is not None else None
            if found is not None:
                return found
    return None


def _called(call: form.Call, scope: Scope, project: Project) -> FunctionSymbol | None:
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


def refusal_of_strangers(hook: FunctionSymbol, project: Project, asked: Asked | None = None) -> Evidence | None:
    """Where a hook that runs before every request turns away callers of whom nothing is known.

    `if current_user.banned: abort(403)` does not, nor does a page that says the site is being set up. Where it is known
    what is asked for, `if request.path in OPEN: return` lets that pass.
    """
    if asked is None or asked.view is not None:
        return _refusal_of_strangers(hook, project, _DEEPEST, asked)
    same_for_all = _SAME_FOR_ALL.setdefault(project, {})
    if hook in same_for_all:
        return same_for_all[hook]
    heard: list[form.Expr] = []
    found = _refusal_of_strangers(hook, project, _DEEPEST, asked, heard=heard)
    if not heard:
        same_for_all[hook] = found
    return found


_SAME_FOR_ALL: WeakKeyDictionary[Project, dict[FunctionSymbol, Evidence | None]] = WeakKeyDictionary()
"""What was found in hooks in which no test hangs on what is asked for: most of them, and they run for every route."""


def dependency_refusal(function: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a dependency of a handler turns away callers without credentials, whatever it looks at beside them.

    One that hands `None` to the handler for them, `if token is None: return None`, does not, nor one that returns a
    response, which the handler gets for an argument.
    """
    if _is_switch(function) or refuses_by_answer_alone(function, project):
        return None
    return _refusal_of_strangers(function, project, _DEEPEST, None, is_hook=False)


def _refusal_of_strangers(
    function: FunctionSymbol,
    project: Project,
    depth: int,
    asked: Asked | None,
    *,
    is_hook: bool = True,
    heard: list[form.Expr] | None = None,
) -> Evidence | None:
    """`heard` takes the tests that what is asked for decides."""
    if not depth or "csrf" in function.name.lower():
        return None
    nodes, _ = _Stranger(function.scope, project, asked, is_hook, heard).meets(function.node.body, decided=True)
    for node in nodes:
        if _refuses(node, function.scope, project):
            return function.module.evidence(node, "turns callers away")
    callees = (_called(n, function.scope, project) for n in nodes if isinstance(n, form.Call))
    found = (
        _refusal_of_strangers(callee, project, depth - 1, asked, is_hook=is_hook, heard=heard)
        for callee in callees
        if callee is not None
    )
    return next((f for f in found if f is not None), None)


_Met: TypeAlias = tuple[list[form.Expr | form.Stmt], bool]
"""What runs, and whether nothing after it does."""


@dataclass(frozen=True, slots=True)
class _Stranger:
    """A caller without credentials, on the way through a function.

    `asked` is what the caller asks for, where it is known. A hook runs for everybody: what it refuses below a condition
    that has to do neither with who is asking nor with what is asked for says nothing. A dependency's condition does.
    """

    scope: Scope
    project: Project
    asked: Asked | None
    is_hook: bool
    heard: list[form.Expr] | None

    def meets(self, body: list[form.Stmt], *, decided: bool) -> _Met:
        """What runs; `decided` is unset below a condition that says nothing."""
        nodes: list[form.Expr | form.Stmt] = []
        for statement in body:
            found, is_last = self._of(statement, decided=decided)
            nodes += found
            if is_last:
                return nodes, True
        return nodes, False

    def _of(self, statement: form.Stmt, *, decided: bool) -> _Met:
        match statement:
            case form.If():
                return self._at_condition(statement, decided=decided)
            case form.Try(body=inner, handlers=handlers, orelse=orelse, final=final):
                nodes, is_last = self.meets(inner, decided=decided)
                if any(_swallows(handler) for handler in handlers):
                    nodes = []  # nobody is turned away by what was tried
                caught = () if _only_passes_on(inner) else (h.body for h in handlers)
                for block in () if is_last else (*caught, orelse, final):
                    nodes += self.meets(block, decided=decided)[0]
                return nodes, is_last
            case form.With(body=inner):
                return self.meets(inner, decided=decided)
            case form.For(body=inner) | form.While(body=inner):
                return self.meets(inner, decided=decided)[0], False
            case form.Function() | form.Class():
                return [], False
        return (list(form.walk(statement)) if decided else []), False

    def _at_condition(self, node: form.If, *, decided: bool) -> _Met:
        known = self.asked.turns_out(node.test, self.scope, self.project) if self.asked is not None else None
        if known is not None and self.heard is not None:
            self.heard.append(node.test)
        if known is not None:
            taken = node.body if known else node.orelse
            nodes, is_last = self.meets(taken, decided=decided)
            return nodes, is_last or (bool(taken) and isinstance(taken[-1], form.Return | form.Raise))
        is_about_caller = _has_word(node.test, _CALLER_WORDS)
        says_something = not self.is_hook and not _is_block_list(node.test)
        below = is_about_caller or says_something or (decided and _is_about_place(node.test))
        found: list[form.Expr | form.Stmt] = []
        if not (is_about_caller and self._never_holds(node.test)):
            found += self.meets(node.body, decided=below)[0]
            if isinstance(node.body[-1], form.Return) and _holds_for_strangers(node.test):
                return found, True
        return found + self.meets(node.orelse, decided=below)[0], False

    def _never_holds(self, test: form.Expr) -> bool:
        if self.is_hook:
            return _holds_for_known_callers(test)
        return isinstance(test, form.Name | form.Compare) and _holds_for_known_callers(test)


def _only_passes_on(body: list[form.Stmt]) -> bool:
    """Whether it hands the request on without a look at the caller: what it catches is what a handler raised."""
    passing = [any(isinstance(n, form.Call) and last_name(n.func) in _NEXT for n in form.walk(s)) for s in body]
    others = [node for s, passes in zip(body, passing, strict=True) if not passes for node in form.walk(s)]
    named = [node for node in others if isinstance(node, form.Name | form.Attr)]
    return any(passing) and not any(_has_word(node, _CALLER_WORDS) for node in named)


def _swallows(handler: form.Handler) -> bool:
    """`except HTTPException: return None`: it catches refusals and lets the caller go on."""
    caught = handler.type.items if isinstance(handler.type, form.Display) else [handler.type]
    is_broad = any(node is None or last_name(node) in _CAUGHT for node in caught)
    last = handler.body[-1]
    goes_on = isinstance(last, form.Jump) or (isinstance(last, form.Return) and not isinstance(last.value, form.Call))
    return is_broad and goes_on and not any(isinstance(n, form.Raise) for n in form.walk_body(handler.body))


def _holds_for_strangers(test: form.Expr) -> bool:
    """`not token`, `user is None`, `"Authorization" not in request.headers`; a switch of the settings says nothing."""
    match test:
        case form.Boolean(op="or", values=values):
            return any(_holds_for_strangers(value) for value in values)
        case form.Boolean(values=values):
            return all(_holds_for_strangers(value) for value in values)
        case form.Unary(op="not", operand=form.Name() | form.Attr() as operand):
            return _is_about_caller(operand)
        case form.Compare(left=left, ops=["is"], rights=[form.Const(value=None)]):
            return _is_about_caller(left)
        case form.Compare(ops=["not in"], rights=[right]):
            return last_name(right) in ("headers", "cookies", "session")
    return False


def _is_about_caller(node: form.Expr) -> bool:
    names = (form.dotted(node) or "").split(".")
    is_setting = names[-1].isupper() or not {"settings", "config"}.isdisjoint(names)
    return not is_setting and _has_word(node, _CALLER_WORDS)


def _is_about_place(test: form.Expr) -> bool:
    """A condition on what is asked for; a list of blocked addresses tells nothing of other callers."""
    return not _is_block_list(test) and _has_word(test, _PLACE_WORDS)


def _is_block_list(test: form.Expr) -> bool:
    parts = test.values if isinstance(test, form.Boolean) else [test]
    return any(
        isinstance(part, form.Compare) and part.ops == ["in"] and last_name(part.left) in _ADDRESSES for part in parts
    )


def _has_word(test: form.Expr | form.Stmt, words: tuple[str, ...]) -> bool:
    names = (_named(node).lower() for node in form.walk(test))
    return any(word in name for name in names for word in words)


def _named(node: form.Expr | form.Stmt) -> str:
    """A name, an attribute's, or a key's: `user`, `request.user`, `scope["user"]`."""
    match node:
        case form.Name(id=name) | form.Attr(attr=name) | form.Subscript(index=form.Const(value=str() as name)):
            return name
    return ""


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
    cls = function.cls if isinstance(function, Instance) else function
    if isinstance(cls, ClassSymbol):
        # `apply` is what plugins have that are applied to handlers as decorators are.
        function = project.method(cls, "__call__") or project.method(cls, "apply")
    if not isinstance(function, FunctionSymbol):
        return None
    return _refuses_when_applied(function, project, _DEEPEST)


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
    for returned in function.returns:
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


@remembered
def refuses_in_body(handler: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a handler itself turns away a caller whose credentials (cookie, session, header) don't hold.

    A wrong password in the body answers 401 too, but is no guard: only what depends on credentials that come along
    with every request counts.
    """
    found = _refusal_within(handler, _DEEPEST_CHECK, project)
    return handler.module.evidence(found, "turns away callers without valid credentials") if found is not None else None


@remembered
def uses_credentials(handler: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a handler uses what the request says of who is asking, whether or not that turns anybody away."""
    for statement in handler.node.body:
        if names_credentials(statement, handler.scope, project):
            return handler.module.evidence(statement, "uses what the request says of who is asking")
    return None


@remembered
def perhaps_refuses_strangers(hook: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a hook ends a request by who is asking, for all that can be told."""
    for node in hook.walk():
        ends = isinstance(node, form.If) and (_ends_request(node.body) or _ends_request(node.orelse))
        if isinstance(node, form.If) and ends and names_credentials(node.test, hook.scope, project):
            return hook.module.evidence(node.test, "decides by who is asking")
    return None


def _ends_request(body: list[form.Stmt]) -> bool:
    last = body[-1] if body else None
    match last:
        case form.Raise():
            return True
        case form.Return(value=value):
            is_nothing = value is None or (isinstance(value, form.Const) and value.value is None)
            return not is_nothing and not any(_calls_next(node) for node in form.walk(last))
        case form.ExprStmt(value=form.Call(func=func)):
            return last_name(func) == "abort"
    return False


def _calls_next(node: form.Expr | form.Stmt) -> bool:
    return (isinstance(node, form.Call) and last_name(node.func) in _NEXT) or (
        isinstance(node, form.Name) and node.id == "response"
    )


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
                    return follows if _refuses(follows, scope, project) else None
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
            case form.Call(func=form.Attr(value=owner, attr="get")) if _is_jar(owner, scope, project):
                return True
        if binding.param is not None and _is_sent_credential(binding.param, scope, project):
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
    if name in _VERIFIERS:
        return node.keyword("optional") is None
    return name in ("require", "test") and project.callee_name(node, scope) in _PERMISSION_CHECKS


def _is_given(test: form.Expr) -> bool:
    """`user is not None`: what follows is for known callers, such as the way from the login page to their own."""
    return isinstance(test, form.Compare) and test.ops == ["is not"]


def _refusals(body: list[form.Stmt], scope: Scope, project: Project) -> Iterator[form.Expr | form.Stmt]:
    return (n for n in form.walk_body(body, into_definitions=False) if _refuses(n, scope, project))


def names_credentials(
    node: form.Expr | form.Stmt, scope: Scope, project: Project, seen: frozenset[str] = frozenset(), most: int = 8
) -> bool:
    """Whether the value hangs on something that comes along with every request and says who is asking, with at most so
    many names and calls between.
    """
    match node:
        case form.Const() | form.Function() | form.Class() | form.Lambda():
            return False
        case form.Call(func=form.Attr(attr=method), args=[key, *_]) if method in _READERS:
            return _is_credential_key(_READERS[method], key.value, scope, project)
        case form.Attr(value=owner, attr=name) if name in _CARRIED and last_name(owner) in _CARRIERS:
            return True
        case form.Call(func=form.Attr(value=owner, attr="get"), args=[key, *_]) if last_name(owner) in _CARRIERS:
            return string_value(key.value, scope, project) in _CARRIED or _is_jar(owner, scope, project)
        case form.Call(func=form.Name(id="getattr"), args=[owner, key, *_]) if last_name(owner.value) in _CARRIERS:
            return string_value(key.value, scope, project) in _CARRIED
        case form.Call(func=form.Attr(value=owner, attr="get" | "pop"), args=[key, *_]) if _is_jar(
            owner, scope, project
        ):
            return _is_credential_key(last_name(owner), key.value, scope, project)
        case form.Subscript(value=owner, index=index) if _is_jar(owner, scope, project):
            return _is_credential_key(last_name(owner), index, scope, project)
        case form.Name(id=name) | form.Attr(attr=name) if name in _CREDENTIALS or _is_jar(node, scope, project):
            return True
        case form.Name(id=name) if name not in seen and len(seen) < most:
            local = scope.bindings.get(name, ())
            if any(b.param is not None and _is_sent_credential(b.param, scope, project) for b in local):
                return True
            values = [b.value for b in local if b.value is not None and b.param is None]
            return any(names_credentials(v, scope, project, seen | {name}, most) for v in values)
        case form.Call() if len(seen) < most and _gives_credentials(node, scope, project, seen, most):
            return True
    return any(names_credentials(child, scope, project, seen, most) for child in node.children())


def _gives_credentials(call: form.Call, scope: Scope, project: Project, seen: frozenset[str], most: int) -> bool:
    callee = project.callee_function(call, scope)
    if callee is None or callee.id in seen or callee.name == "__init__":
        return False
    return _returns_credentials(most - len(seen) - 1, callee, project)


@remembered
def _returns_credentials(most: int, callee: FunctionSymbol, project: Project) -> bool:
    """Whether what the function returns names them, with at most so many names and calls between."""
    returned = (r.value for r in callee.returns if r.value is not None)
    inside = frozenset({callee.id})
    return any(names_credentials(value, callee.scope, project, inside, most + 1) for value in returned)


def _is_jar(node: form.Expr, scope: Scope, project: Project) -> bool:
    """The request's headers, cookies or session; a database's session is none."""
    match node:
        case form.Attr(value=owner, attr="headers" | "cookies" | "session" | "COOKIES" | "META"):
            return last_name(owner) in _REQUESTS
        case form.Name(id="session"):
            value = project.infer(node, scope)
            name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
            return name in _WEB_SESSIONS
    return False


def _is_sent_credential(param: form.Param, scope: Scope, project: Project) -> bool:
    """`x_api_key: str = Header()`, `sid: Annotated[str, Cookie()]`."""
    declared = [node for node in (param.default, param.annotation) if node is not None]
    for call in (inner for node in declared for inner in form.walk(node) if isinstance(inner, form.Call)):
        jar = _DECLARED_JARS.get(last_name(call.func) or "")
        alias = call.keyword("alias")
        if jar is not None:
            key = alias if alias is not None else form.Const(start=param.start, end=param.end, value=param.name)
            return _is_credential_key(jar, key, scope, project)
    return False


def _is_credential_key(jar: str | None, key: form.Expr, scope: Scope, project: Project) -> bool:
    """A header must name a credential; of a session or the cookies, all but what serves another end."""
    known = string_value(key, scope, project)
    if jar in ("headers", "META"):
        header = (known or "").lower().replace("_", "-")
        return any(word in header for word in _CREDENTIAL_HEADERS)
    return known is None or not any(word in known.lower() for word in _OTHER_ENDS)


def _refuses(node: form.Expr | form.Stmt, scope: Scope, project: Project) -> bool:
    match node:
        case form.Raise(exc=exc) if exc is not None:
            return _is_refusal_value(exc, scope, project)
        case form.Return(value=value) if value is not None:
            return _is_refusal_value(value, scope, project)
        case form.Call(func=response, args=[_, _, form.Arg(value=form.Name(id="send"))]):
            return _is_refusal_value(response, scope, project)  # `await response(scope, receive, send)`
        case form.Call(func=func):
            name = last_name(func)
            if name in _VERIFIERS:
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
