"""Protection against requests that other sites' pages send, in frameworks that leave it to extensions.

https://flask-wtf.readthedocs.io/en/latest/csrf/, https://www.tornadoweb.org/en/stable/guide/security.html,
https://docs.litestar.dev/latest/usage/middleware/builtin-middleware.html#csrf, RFC 6265bis on `SameSite`
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.configuration.meanings import truth_of
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import DJANGO, Application
from assay.scanner.hardening.forgery_django import of_site
from assay.scanner.hardening.layers import layers_of
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Module
from assay.scanner.model.hardening import ForgeryProtection
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_SIGN_IN = ("LoginManager", "APIKeyCookie", "CookieTransport", "SessionAuth", "JWTCookieAuth", "login_user")
_IDENTITIES = frozenset({"user", "user_id", "username", "uid", "userid", "account_id", "email", "account"})
_SESSIONS = ("session", "request.session")
_COOKIE_WORDS = ("token", "session", "auth", "jwt", "sid")
_OTHER_COOKIES = ("refresh", "csrf", "xsrf")
_SAME_SITE = frozenset({"lax", "strict"})


def forgery_protections(application: Application, gathered: Gathered) -> Iterator[ForgeryProtection]:
    """Those of one application."""
    if application.framework == DJANGO:
        yield from of_site(application, gathered)
        return
    if any(e.method in _CHANGING for e in application.endpoints):
        yield _Extensions(application, gathered).protection()


class _Extensions:
    def __init__(self, application: Application, gathered: Gathered) -> None:
        self._application = application
        self._gathered = gathered
        self._modules = [
            m
            for m in gathered.project.modules.values()
            if m.role is Role.PROD and gathered.owners.of(m.path) is application.service
        ]

    def protection(self) -> ForgeryProtection:
        """The application's own, and what says that it needs one."""
        cookie = next(self._cookies(), None)
        is_protected, evidence = (False, ()) if cookie is None else self._protected()
        place = self._application.location
        absent = (Evidence(place, "nothing demands a CSRF token"),)
        return ForgeryProtection(
            self._application.name,
            place,
            Role.PROD,
            (cookie,) if cookie is not None else (),
            is_protected,
            evidence or absent,
        )

    # --- who the caller is ---

    def _cookies(self) -> Iterator[Evidence]:
        """What shows that a cookie says who the caller is."""
        for module in self._modules:
            for call, _ in module.calls_named(_SIGN_IN):
                yield module.evidence(call, "a cookie says who the caller is")
            yield from self._written_sessions(module)
            yield from self._read_cookies(module)

    def _written_sessions(self, module: Module) -> Iterator[Evidence]:
        """`session["user_id"] = user.id`."""
        for scope in module.writes_by_name.get("session", ()):
            for node in form.walk_body(scope.body, into_definitions=False):
                for target in node.targets if isinstance(node, form.Assign) else ():
                    if isinstance(target, form.Subscript) and form.dotted(target.value) in _SESSIONS:
                        key = target.index.value if isinstance(target.index, form.Const) else None
                        if key in _IDENTITIES:
                            yield module.evidence(target, "the session says who the caller is")

    def _read_cookies(self, module: Module) -> Iterator[Evidence]:
        """`request.cookies.get("session_token")`."""
        for call, _ in module.calls_named(("get",)):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            key = call.positional[0] if call.positional else None
            is_cookie = isinstance(owner, form.Attr) and owner.attr == "cookies"
            if is_cookie and isinstance(key, form.Const) and _is_identity(str(key.value)):
                yield module.evidence(call, "a cookie says who the caller is")

    # --- what protects ---

    def _protected(self) -> tuple[bool | None, tuple[Evidence, ...]]:
        for layer in layers_of(self._application, self._gathered):
            if "csrf" in layer.name.lower() or layer.name == "SeaSurf":
                return self._of_extension(layer.site.module.evidence(layer.call, f"`{layer.name}` demands a token"))
        switch = next(self._switches(), None)
        if switch is not None:
            return True, (switch,)
        listed = next(self._listed_middleware(), None)
        if listed is not None:
            return True, (listed,)
        return self._by_cookie_flags()

    def _of_extension(self, evidence: Evidence) -> tuple[bool | None, tuple[Evidence, ...]]:
        """Flask-WTF may be turned off, or be left to ask by hand."""
        near = self._application.location.path
        for name in ("WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT"):
            found = self._gathered.production.setting(name, "Flask config", near) or ()
            if found and all(truth_of(m.value) is False for m in found):
                by_hand = next(self._asked_by_hand(), None) if name.endswith("DEFAULT") else None
                return (True, (by_hand,)) if by_hand is not None else (False, (found[0].evidence,))
        return True, (evidence,)

    def _asked_by_hand(self) -> Iterator[Evidence]:
        for module in self._modules:
            for call, _ in module.calls_named(("protect", "validate_csrf")):
                yield module.evidence(call, "the token is asked for by hand")

    def _switches(self) -> Iterator[Evidence]:
        """Tornado's `xsrf_cookies=True`, Litestar's `csrf_config=...`."""
        for made in self._application.made:
            if isinstance(made.node, form.Call):
                for name in ("xsrf_cookies", "csrf_config"):
                    node = made.node.keyword(name)
                    if node is not None and not (isinstance(node, form.Const) and not node.value):
                        yield made.module.evidence(node, f"`{name}` demands a token")

    def _listed_middleware(self) -> Iterator[Evidence]:
        """Middleware, hooks and dependencies of one's own that are named for it."""
        for made in self._application.made:
            for node in form.walk(made.node):
                name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
                if name is not None and ("csrf" in name.lower() or "xsrf" in name.lower()):
                    yield made.module.evidence(node, f"`{name}` demands a token")
        for module in self._modules:
            for function in module.functions:
                named = function.name.lower()
                if ("csrf" in named or "xsrf" in named) and _is_applied(function.name, module, self._modules):
                    yield Evidence(function.location, f"`{function.name}` looks at the request")

    def _by_cookie_flags(self) -> tuple[bool | None, tuple[Evidence, ...]]:
        """Flask's session cookie with SameSite; other cookies of sessions are judged with them."""
        found = self._gathered.production.setting(
            "SESSION_COOKIE_SAMESITE", "Flask config", self._application.location.path
        )
        if found and all(isinstance(m.value, str) and m.value.lower() in _SAME_SITE for m in found):
            return True, (found[0].evidence,)
        flags = list(self._same_site_flags())
        if flags and all(value in _SAME_SITE for value, _ in flags):
            return True, (flags[0][1],)
        return False, ()

    def _same_site_flags(self) -> Iterator[tuple[str, Evidence]]:
        for module in self._modules:
            for call, scope in module.calls_named(
                ("set_cookie", "CookieTransport", "EncryptedCookieStorage", *_STORES)
            ):
                node = call.keyword("samesite") or call.keyword("same_site") or call.keyword("cookie_samesite")
                values = self._gathered.production.meanings(node, scope) if node is not None else ()
                for meaning in values:
                    if isinstance(meaning.value, str):
                        yield meaning.value.lower(), module.evidence(call, f"the cookie is `samesite={meaning.value}`")
            for call, scope in module.calls_named(("add_middleware", "Middleware")):
                if call.args and last_name(call.args[0].value) == "SessionMiddleware":
                    node = call.keyword("same_site")
                    values = self._gathered.production.meanings(node, scope) if node is not None else ()
                    value = next((m.value for m in values), "lax")
                    yield str(value).lower(), module.evidence(call, f"the session's cookie is `samesite={value}`")


_STORES = ("RedisStorage", "MemcachedStorage", "NaClCookieStorage", "SimpleCookieStorage")


def _registers(decorator: form.Expr) -> bool:
    """`@app.before_request`, `@app.middleware("http")`; a bare `@web.middleware` only says what it is."""
    if isinstance(decorator, form.Call):
        return isinstance(decorator.func, form.Attr)
    return isinstance(decorator, form.Attr) and decorator.attr != "middleware"


def _is_identity(cookie: str) -> bool:
    """A token that is only changed for another says it together with that one."""
    name = cookie.lower()
    return any(word in name for word in _COOKIE_WORDS) and not any(word in name for word in _OTHER_COOKIES)


def _is_applied(name: str, module: Module, modules: Sequence[Module]) -> bool:
    """Whether anything but its own definition speaks of the function: a hook's decorator, a dependency, a call."""
    own = [f for f in module.functions if f.name == name]
    if any(_registers(d) for f in own for d in f.decorators):
        return True
    return any(name in m.calls_by_name for m in modules) or any(
        any(isinstance(n, form.Name | form.Attr) and last_name(n) == name for n in form.walk(argument.value))
        for m in modules
        for call, _ in m.calls_named(("Depends", "before_request", "append", "middleware"))
        for argument in call.args
    )
