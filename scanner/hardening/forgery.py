"""Protection against requests that other sites' pages send, in frameworks that leave it to extensions.

https://flask-wtf.readthedocs.io/en/latest/csrf/, https://www.tornadoweb.org/en/stable/guide/security.html,
https://docs.litestar.dev/latest/usage/middleware/builtin-middleware.html#csrf, RFC 6265bis on `SameSite`
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import islice

from assay.scanner.configuration.meanings import truth_of
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import DJANGO, Application
from assay.scanner.hardening.forgery_django import of_site
from assay.scanner.hardening.layers import Layer
from assay.scanner.hardening.sign_ins import names_identity, sign_ins
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Module, Scope
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.hardening import ForgeryProtection
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_FLASK = "Flask config"
_SAME_SITE = frozenset({"lax", "strict"})
_SAME_SITE_NAMES = ("samesite", "same_site", "cookie_samesite")
_BY_DEFAULT = {"FastAPI": "lax", "Starlette": "lax", "Litestar": "lax", "Sanic": "lax"}
"""What `set_cookie` says where the code doesn't, by framework."""
_ORIGINS = frozenset({"origin", "sec-fetch-site", "x-csrf-token", "x-csrftoken", "x-xsrf-token", "x-requested-with"})
_STORES = ("RedisStorage", "MemcachedStorage", "NaClCookieStorage", "SimpleCookieStorage")
_OF_SESSIONS = frozenset({"login_required", "fresh_login_required", "current_user", "session"})
_GUARDING = re.compile(r"auth|login|token|key|require|signed|verif|webhook|hmac|permission|admin", re.IGNORECASE)
_DOUBLE_STAR = 2
_Protection = tuple[bool | None, tuple[Evidence, ...]]


def forgery_protections(
    application: Application, gathered: Gathered, layers: Sequence[Layer]
) -> Iterator[ForgeryProtection]:
    """Those of one application."""
    if application.framework == DJANGO:
        yield from of_site(application, gathered)
        return
    if any(_changes(e) for e in application.endpoints):
        extensions = _Extensions(application, gathered, layers)
        yield extensions.protection()
        yield from extensions.exempted()


class _Extensions:
    def __init__(self, application: Application, gathered: Gathered, layers: Sequence[Layer]) -> None:
        self._application = application
        self._gathered = gathered
        self._layers = layers
        self._modules = [
            m
            for m in gathered.project.modules.values()
            if m.role is Role.PROD and gathered.owners.of(m.path) is application.service
        ]

    def protection(self) -> ForgeryProtection:
        """The application's own, and what says that it needs one."""
        cookie = next(sign_ins(self._modules), None)
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

    def exempted(self) -> Iterator[ForgeryProtection]:
        """Flask-WTF's `@csrf.exempt`, on a view that the session opens."""
        seen: set[FunctionSymbol] = set()
        for route, endpoint in self._gathered.endpoints:
            handler = route.handler
            if handler is None or handler in seen or endpoint not in self._application.endpoints:
                continue
            exempt = next((d for d in handler.decorators if _is_exemption(d)), None)
            if exempt is not None and _changes(endpoint):
                seen.add(handler)
                left_out = handler.module.evidence(exempt, "the view is left out of the protection")
                cookie = tuple(islice(_opened_by_session(handler), 1))
                yield ForgeryProtection(handler.id, left_out.location, Role.PROD, cookie, False, (left_out,))

    # --- what protects ---

    def _protected(self) -> _Protection:
        for layer in self._layers:
            if "csrf" in layer.name.lower() or layer.name == "SeaSurf":
                return self._of_extension(layer.site.module.evidence(layer.call, f"`{layer.name}` demands a token"))
        for found in (self._switches(), self._listed_middleware(), self._looked_at_by_hooks()):
            evidence = next(found, None)
            if evidence is not None:
                return True, (evidence,)
        return self._of_tokens_in_cookies() or self._of_forms() or self._by_cookie_flags()

    def _of_extension(self, evidence: Evidence) -> _Protection:
        """Flask-WTF may be turned off, or be left to ask by hand."""
        near = self._application.location.path
        for name in ("WTF_CSRF_ENABLED", "WTF_CSRF_CHECK_DEFAULT"):
            found = self._gathered.production.setting(name, _FLASK, near) or ()
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
                    for mapping in (a.value for a in made.node.args if a.star == _DOUBLE_STAR):
                        items = self._gathered.production.item(mapping, made.scope, name).found
                        if any(truth_of(m.value) is True for m in items):
                            yield items[0].evidence

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

    def _looked_at_by_hooks(self) -> Iterator[Evidence]:
        """Hooks and middleware that refuse requests by where they come from, whatever they are called."""
        layers = {layer.name for layer in self._layers}
        for module in self._modules:
            for function in module.functions:
                is_hook = any(_registers(d) for d in function.decorators) or (
                    function.owner is not None and function.owner.name in layers
                )
                if is_hook and _refuses_by_origin(function):
                    yield Evidence(function.location, f"`{function.name}` looks at where the request comes from")

    def _of_tokens_in_cookies(self) -> _Protection | None:
        """Flask-JWT-Extended demands a token beside its cookies, unless it is told not to."""
        near = self._application.location.path
        for module in self._modules:
            for call, _ in module.calls_named(("set_access_cookies",)):
                off = self._gathered.production.setting("JWT_COOKIE_CSRF_PROTECT", _FLASK, near) or ()
                if not (off and all(truth_of(m.value) is False for m in off)):
                    return True, (module.evidence(call, "the extension demands a token beside its cookies"),)
                return self._by_setting("JWT_COOKIE_SAMESITE") or (False, (off[0].evidence,))
        return None

    def _of_forms(self) -> _Protection | None:
        """Flask-WTF's forms demand a token each: all is well where every change is made by one."""
        forms = [found for m in self._modules for found in m.calls_named(("validate_on_submit",))]
        if not forms:
            return None
        call, scope = forms[0]
        evidence = (scope.module.evidence(call, "Flask-WTF's forms demand a token"),)
        changing = [r.handler for r, e in self._gathered.endpoints if e in self._application.endpoints and _changes(e)]
        by_form = {scope.function for _, scope in forms}
        return True if all(h in by_form for h in changing) else None, evidence

    def _by_setting(self, name: str) -> _Protection | None:
        found = self._gathered.production.setting(name, _FLASK, self._application.location.path)
        if found and all(isinstance(m.value, str) and m.value.lower() in _SAME_SITE for m in found):
            return True, (found[0].evidence,)
        return None

    def _by_cookie_flags(self) -> _Protection:
        """Flask's session cookie with SameSite; other cookies of sessions are judged with them."""
        by_setting = self._by_setting("SESSION_COOKIE_SAMESITE")
        if by_setting is not None:
            return by_setting
        flags = list(self._same_site_flags())
        evidence = (flags[0][1],) if flags else ()
        if flags and all(value in _SAME_SITE for value, _ in flags):
            return True, evidence
        is_set_elsewhere = not flags and self._application.framework in _BY_DEFAULT
        is_open = is_set_elsewhere or any(value is None for value, _ in flags)
        return None if is_open else False, evidence

    def _same_site_flags(self) -> Iterator[tuple[str | None, Evidence]]:
        """What each cookie says, in lower case; None where that can't be told."""
        default = _BY_DEFAULT.get(self._application.framework, "")
        for module in self._modules:
            for call, scope in module.calls_named(("set_cookie", "EncryptedCookieStorage", *_STORES)):
                if last_name(call.func) != "set_cookie" or _may_be_identity(call):
                    yield self._same_site(call, scope, default)
            for call, scope in module.calls_named(("CookieTransport",)):
                yield self._same_site(call, scope, "lax")
            for call, scope in module.calls_named(("add_middleware", "Middleware")):
                if call.args and last_name(call.args[0].value) == "SessionMiddleware":
                    yield self._same_site(call, scope, "lax")

    def _same_site(self, call: form.Call, scope: Scope, default: str) -> tuple[str | None, Evidence]:
        node = next((n for name in _SAME_SITE_NAMES if (n := call.keyword(name)) is not None), None)
        if node is None:
            what = f"`samesite={default}`, by default" if default else "without `samesite`"
            return default, scope.module.evidence(call, f"the cookie is set {what}")
        values = {m.value for m in self._gathered.production.meanings(node, scope)}
        told = {str(value or "").lower() for value in values if value is None or isinstance(value, str)}
        value = next(iter(told - _SAME_SITE), next(iter(told), "")) if len(told) == len(values) else None
        return value, scope.module.evidence(node, "`samesite` of the cookie")


def _changes(endpoint: Endpoint) -> bool:
    return endpoint.method in _CHANGING


def _may_be_identity(call: form.Call) -> bool:
    key = call.keyword("key") or call.keyword("name") or next(iter(call.positional), None)
    return not isinstance(key, form.Const) or names_identity(str(key.value))


def _refuses_by_origin(function: FunctionSymbol) -> bool:
    """Whether it asks for a header that other sites' pages can't send as they like, and leaves."""
    texts = {n.value for n in function.nodes if isinstance(n, form.Const)}
    asks = any(isinstance(text, str) and text.lower() in _ORIGINS for text in texts)
    leaves = any(isinstance(n, form.Raise) for n in function.nodes) or "abort" in {
        last_name(n.func) for n in function.nodes if isinstance(n, form.Call)
    }
    return asks and (leaves or 403 in texts)


def _opened_by_session(handler: FunctionSymbol) -> Iterator[Evidence]:
    """A guard of sessions; what the view itself takes from one, where no other guard has filled that by a token."""
    guards = [d for d in handler.decorators if _GUARDING.search(last_name(_called(d)) or "")]
    for guard in guards:
        if last_name(_called(guard)) in _OF_SESSIONS:
            yield handler.module.evidence(guard, "the session opens it")
    for node in handler.nodes if not guards else ():
        if isinstance(node, form.Name | form.Attr) and last_name(node) in _OF_SESSIONS:
            yield handler.module.evidence(node, "the session opens it")


def _called(decorator: form.Expr) -> form.Expr:
    return decorator.func if isinstance(decorator, form.Call) else decorator


def _is_exemption(decorator: form.Expr) -> bool:
    """`@csrf.exempt`."""
    return isinstance(decorator, form.Attr) and decorator.attr == "exempt" and "csrf" in (form.dotted(decorator) or "")


def _registers(decorator: form.Expr) -> bool:
    """`@app.before_request`, `@app.middleware("http")`; a bare `@web.middleware` only says what it is."""
    if isinstance(decorator, form.Call):
        return isinstance(decorator.func, form.Attr)
    return isinstance(decorator, form.Attr) and decorator.attr != "middleware"


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
