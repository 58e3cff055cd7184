"""What comes along with every request and says who is asking: cookies, sessions, headers, and what is made of them."""

from __future__ import annotations

from assay.scanner.dataflow.constants import string_value
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

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
_OTHER_ENDS = ("csrf", "xsrf", "state", "nonce", "next", "redirect", "lang", "locale", "flash", "captcha", "consent")
"""What keys of a session or names of cookies speak of when they say nothing about who is asking."""
_CREDENTIAL_HEADERS = ("authorization", "cookie", "-key", "x-auth", "token", "signature", "secret")


@remembered
def uses_credentials(handler: FunctionSymbol, project: Project) -> Evidence | None:
    """Where a handler uses what the request says of who is asking, whether or not that turns anybody away."""
    for statement in handler.node.body:
        if names_credentials(statement, handler.scope, project):
            return handler.module.evidence(statement, "uses what the request says of who is asking")
    return None


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
            return string_value(key.value, scope, project) in _CARRIED or is_jar(owner, scope, project)
        case form.Call(func=form.Name(id="getattr"), args=[owner, key, *_]) if last_name(owner.value) in _CARRIERS:
            return string_value(key.value, scope, project) in _CARRIED
        case form.Call(func=form.Attr(value=owner, attr="get" | "pop"), args=[key, *_]) if is_jar(
            owner, scope, project
        ):
            return _is_credential_key(last_name(owner), key.value, scope, project)
        case form.Subscript(value=owner, index=index) if is_jar(owner, scope, project):
            return _is_credential_key(last_name(owner), index, scope, project)
        case form.Name(id=name) | form.Attr(attr=name) if name in _CREDENTIALS or is_jar(node, scope, project):
            return True
        case form.Name(id=name) if name not in seen and len(seen) < most:
            local = scope.bindings.get(name, ())
            if any(b.param is not None and is_sent_credential(b.param, scope, project) for b in local):
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


def is_jar(node: form.Expr, scope: Scope, project: Project) -> bool:
    """The request's headers, cookies or session; a database's session is none."""
    match node:
        case form.Attr(value=owner, attr="headers" | "cookies" | "session" | "COOKIES" | "META"):
            return last_name(owner) in _REQUESTS
        case form.Name(id="session"):
            value = project.infer(node, scope)
            name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
            return name in _WEB_SESSIONS
    return False


def is_sent_credential(param: form.Param, scope: Scope, project: Project) -> bool:
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
