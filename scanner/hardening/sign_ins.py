"""What shows that a cookie alone says who the caller is, in frameworks that leave signing in to extensions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_SIGN_IN = (
    "LoginManager", "APIKeyCookie", "CookieTransport", "SessionAuth", "JWTCookieAuth", "login_user",
    "set_access_cookies",
)  # fmt: skip
_SIGNED = ("get_secure_cookie", "get_signed_cookie")
"""Tornado's cookies that no client can forge: what they hold is trusted."""
_IDENTITIES = frozenset({"user", "user_id", "username", "uid", "userid", "account_id", "email", "account"})
_SESSIONS = ("session", "request.session")
_COOKIE_WORDS = ("token", "session", "auth", "jwt", "sid")
_OTHER_COOKIES = ("refresh", "csrf", "xsrf")
_SAYS = "a cookie says who the caller is"


def sign_ins(modules: Sequence[Module]) -> Iterator[Evidence]:
    """Extensions first, then cookies that the code reads itself."""
    is_by_header = _loads_from_requests_only(modules)
    for module in modules:
        for call, _ in module.calls_named(_SIGN_IN):
            if not (is_by_header and last_name(call.func) == "LoginManager"):
                yield module.evidence(call, _SAYS)
        yield from _written_sessions(module)
        yield from _read_by_calls(module)
        yield from _taken_as_parameters(module)
    for module in modules:
        yield from _read_by_items(module)


def _loads_from_requests_only(modules: Sequence[Module]) -> bool:
    """Whether Flask-Login finds users by a `request_loader` and by nothing else."""
    loaders = {
        d.attr
        for m in modules
        for f in m.functions
        for d in f.decorators
        if isinstance(d, form.Attr) and d.attr.endswith("_loader")
    }
    return "request_loader" in loaders and "user_loader" not in loaders


def _written_sessions(module: Module) -> Iterator[Evidence]:
    """`session["user_id"] = user.id`."""
    for scope in module.writes_by_name.get("session", ()):
        for node in form.walk_body(scope.body, into_definitions=False):
            for target in node.targets if isinstance(node, form.Assign) else ():
                if isinstance(target, form.Subscript) and form.dotted(target.value) in _SESSIONS:
                    key = target.index.value if isinstance(target.index, form.Const) else None
                    if key in _IDENTITIES:
                        yield module.evidence(target, "the session says who the caller is")


def _read_by_calls(module: Module) -> Iterator[Evidence]:
    """`request.cookies.get("session_token")`, `self.get_secure_cookie("user")`."""
    for call, _ in module.calls_named(("get", "get_cookie", *_SIGNED)):
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        key = call.positional[0] if call.positional else None
        named = str(key.value) if isinstance(key, form.Const) else ""
        is_cookie = last_name(call.func) != "get" or (isinstance(owner, form.Attr) and owner.attr == "cookies")
        is_signed = last_name(call.func) in _SIGNED
        if owner is not None and is_cookie and (names_identity(named) or (is_signed and named in _IDENTITIES)):
            yield module.evidence(call, _SAYS)


def _taken_as_parameters(module: Module) -> Iterator[Evidence]:
    """FastAPI's `session_id: str = Cookie()`, `session_id: Annotated[str, Cookie()]`."""
    if "Cookie" not in module.calls_by_name:
        return
    for function in module.functions:
        for param in function.node.params:
            stated = [n for n in (param.annotation, param.default) if n is not None]
            calls = [n for node in stated for n in form.walk(node) if isinstance(n, form.Call)]
            cookie = next((c for c in calls if last_name(c.func) == "Cookie"), None)
            if cookie is not None:
                alias = cookie.keyword("alias")
                if names_identity(str(alias.value) if isinstance(alias, form.Const) else param.name):
                    yield module.evidence(cookie, _SAYS)


def _read_by_items(module: Module) -> Iterator[Evidence]:
    """`request.cookies["session_token"]`."""
    for node, _ in module.items_by_name.get("cookies", ()):
        if isinstance(node.index, form.Const) and names_identity(str(node.index.value)):
            yield module.evidence(node, _SAYS)


def names_identity(cookie: str) -> bool:
    """Whether a cookie of that name says who somebody is. A token that is only changed for another says it together
    with that one.
    """
    name = cookie.lower()
    return any(word in name for word in _COOKIE_WORDS) and not any(word in name for word in _OTHER_COOKIES)
