"""Django's and REST framework's protection against forged requests, and where it is left out.

https://docs.djangoproject.com/en/stable/ref/csrf/,
https://www.django-rest-framework.org/api-guide/authentication/#sessionauthentication
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import Application
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.hardening import ForgeryProtection
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
_SWITCH = "_dont_enforce_csrf_checks"
_SIGNED_IN = "django.contrib.auth.middleware.AuthenticationMiddleware"
_CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE", "ANY"})
_SESSION_AUTHENTICATION = "rest_framework.authentication.SessionAuthentication"
_OF_SESSIONS = frozenset({"login_required", "LoginRequiredMixin", "permission_required", "PermissionRequiredMixin"})
_OWN_CHECKS = frozenset(
    {"signature", "hmac", "compare_digest", "authorization", "http_authorization", "api_key", "verify"}
)


def of_site(application: Application, gathered: Gathered) -> Iterator[ForgeryProtection]:
    """The site as a whole, each view that is left out, and each kind of session that isn't checked."""
    site = application.site
    assert site is not None
    listed = {
        node.value: scope.module.evidence(node, f"`{node.value}` is installed")
        for value, scope in gathered.production.listed(site, "MIDDLEWARE")
        for node in form.walk(value)
        if isinstance(node, form.Const) and isinstance(node.value, str)
    }
    views = [
        (r, e)
        for r, e in gathered.endpoints
        if _is_view(e) and gathered.owners.of(e.location.path) is application.service
    ]
    signed_in = (listed[_SIGNED_IN],) if _SIGNED_IN in listed and views else ()
    installed = next((e for name, e in listed.items() if _is_csrf(name, gathered.project)), None)
    dropped = next(_dropped_for_all(application, gathered), None)
    if dropped is not None:
        yield ForgeryProtection(application.name, application.location, Role.PROD, signed_in, False, (dropped,))
    elif installed is not None:
        yield ForgeryProtection(application.name, application.location, Role.PROD, signed_in, True, (installed,))
        yield from _left_out(views, _wrapped(gathered))
    else:
        absent = (Evidence(application.location, f"`{_CSRF}` isn't installed"),)
        yield ForgeryProtection(application.name, application.location, Role.PROD, signed_in, False, absent)
    yield from _unchecked_sessions(application, gathered)


def _is_csrf(name: str, project: Project) -> bool:
    """Django's middleware, or one of the project's that derives from it."""
    own = project.classes_named(name.rpartition(".")[2]) if name != _CSRF else ()
    return name == _CSRF or any(project.is_subclass(cls, _CSRF) for cls in own)


def _dropped_for_all(application: Application, gathered: Gathered) -> Iterator[Evidence]:
    """`request._dont_enforce_csrf_checks = True`, the way of tests to turn the check off."""
    for module in gathered.project.modules.values():
        if module.role is Role.PROD and gathered.owners.of(module.path) is application.service:
            for scope in module.writes_by_name.get(_SWITCH, ()):
                for node in form.walk_body(scope.body, into_definitions=False):
                    is_switch = isinstance(node, form.Assign) and any(last_name(t) == _SWITCH for t in node.targets)
                    if is_switch and gathered.production.taken(node, scope).truth is True:
                        yield module.evidence(node, "it turns the check off for every request")


def _wrapped(gathered: Gathered) -> dict[FunctionSymbol | ClassSymbol, Evidence]:
    """Views that are left out where they are mounted: `path("hook/", csrf_exempt(views.hook))`."""
    found: dict[FunctionSymbol | ClassSymbol, Evidence] = {}
    for call, scope in gathered.project.calls_named("csrf_exempt"):
        view = call.positional[0] if call.positional else None
        made_of = view.func.value if isinstance(view, form.Call) and isinstance(view.func, form.Attr) else view
        named = gathered.project.infer(made_of, scope) if made_of is not None else None
        if isinstance(named, FunctionSymbol | ClassSymbol) and scope.module.role is Role.PROD:
            found[named] = scope.module.evidence(call, "the view is left out of the protection")
    return found


def _is_view(endpoint: Endpoint) -> bool:
    return endpoint.framework == "Django" and endpoint.role is Role.PROD and endpoint.method in _CHANGING


def _left_out(
    views: list[tuple[Route, Endpoint]], wrapped: Mapping[FunctionSymbol | ClassSymbol, Evidence]
) -> Iterator[ForgeryProtection]:
    """`csrf_exempt`, on a view that a cookie opens."""
    seen: set[FunctionSymbol] = set()
    for route, endpoint in views:
        handler = route.handler
        if handler is None or handler in seen:
            continue
        mounted = wrapped.get(handler) or (wrapped.get(route.view_class) if route.view_class is not None else None)
        exemption = _exemption(route) or mounted
        if exemption is None:
            continue
        seen.add(handler)
        may_be = _checks_itself(handler) or endpoint.kind is EndpointKind.GRAPHQL
        cookie = tuple(_cookie(handler, endpoint)) if _changes_something(handler, endpoint) else ()
        is_protected = None if may_be else False
        yield ForgeryProtection(f"{handler.id}", exemption.location, Role.PROD, cookie, is_protected, (exemption,))


def _exemption(route: Route) -> Evidence | None:
    handler = route.handler
    decorators = list(handler.decorators) if handler is not None else []
    module = handler.module if handler is not None else None
    for cls in (route.view_class, handler.owner if handler is not None else None):
        decorators += cls.node.decorators if cls is not None else []
        dispatch = cls.methods.get("dispatch") if cls is not None else None
        decorators += dispatch.decorators if dispatch is not None else []
    for decorator in decorators:
        if module is not None and _names(decorator, "csrf_exempt"):
            return module.evidence(decorator, "the view is left out of the protection")
    return None


def _names(node: form.Expr | form.Stmt, name: str) -> bool:
    return any(isinstance(n, form.Name | form.Attr) and last_name(n) == name for n in form.walk(node))


def _cookie(handler: FunctionSymbol, endpoint: Endpoint) -> Iterator[Evidence]:
    """What shows that a cookie says who the caller is: a guard of sessions, `request.user`, `request.COOKIES`."""
    for name, evidence in zip(endpoint.auth, endpoint.guards, strict=False):
        if name in _OF_SESSIONS:
            yield evidence
            return
    for node in handler.nodes:
        if isinstance(node, form.Attr) and last_name(node.value) == "request" and node.attr in ("user", "COOKIES"):
            yield handler.module.evidence(node, f"`request.{node.attr}` says who the caller is")
            return


def _changes_something(handler: FunctionSymbol, endpoint: Endpoint) -> bool:
    """A view that is only shown has nothing to protect."""
    if endpoint.effects or endpoint.method != "ANY":
        return True
    spoken = {n.attr for n in handler.nodes if isinstance(n, form.Attr)}
    texts = {n.value for n in handler.nodes if isinstance(n, form.Const)}
    return bool(spoken & {"POST", "FILES", "body"} or texts & _CHANGING)


def _checks_itself(handler: FunctionSymbol) -> bool:
    spoken = {last_name(n) or "" for n in handler.nodes if isinstance(n, form.Name | form.Attr)}
    texts = {n.value for n in handler.nodes if isinstance(n, form.Const) and isinstance(n.value, str)}
    return any(check in text.lower() for text in spoken | texts for check in _OWN_CHECKS)


def _unchecked_sessions(application: Application, gathered: Gathered) -> Iterator[ForgeryProtection]:
    """Classes that sign in by the session, and drop the check that REST framework's own makes."""
    project = gathered.project
    for cls in project.classes:
        if cls.module.role is not Role.PROD or gathered.owners.of(cls.module.path) is not application.service:
            continue
        if not project.is_subclass(cls, _SESSION_AUTHENTICATION):
            yield from _by_own_cookie(cls)
            continue
        check = cls.methods.get("enforce_csrf")
        cookie = (cls.module.evidence(cls.node, "it signs in by the session's cookie"),)
        if check is not None and not _calls_anything(check):
            dropped = (Evidence(check.location, "the check is dropped"),)
            yield ForgeryProtection(cls.id, cls.location, Role.PROD, _headline(cls), False, dropped)
        elif check is None:
            yield ForgeryProtection(cls.id, cls.location, Role.PROD, cookie, True, _headline(cls))


def _by_own_cookie(cls: ClassSymbol) -> Iterator[ForgeryProtection]:
    """A class that takes a token from a cookie: REST framework leaves all others' checks to them."""
    authenticate = cls.methods.get("authenticate")
    if authenticate is None or not any("Authentication" in (last_name(b.value) or "") for b in cls.node.bases):
        return
    cookies = (n for n in authenticate.nodes if isinstance(n, form.Attr) and n.attr == "COOKIES")
    cookie = next((cls.module.evidence(n, "it signs in by a cookie") for n in cookies), None)
    if cookie is not None:
        checks = [f for f in cls.methods.values() if any(_names(n, "enforce_csrf") for n in f.node.body)]
        checks += [f for f in cls.methods.values() if any(_names(n, "CSRFCheck") for n in f.node.body)]
        is_protected = True if checks else None
        yield ForgeryProtection(cls.id, cls.location, Role.PROD, (cookie,), is_protected)


def _headline(cls: ClassSymbol) -> tuple[Evidence, ...]:
    return (Evidence(cls.location, "it signs in by the session's cookie"),)


def _calls_anything(function: FunctionSymbol) -> bool:
    return any(isinstance(node, form.Call | form.Raise) for node in function.nodes)
