"""Django's and REST framework's protection against forged requests, and where it is left out.

https://docs.djangoproject.com/en/stable/ref/csrf/,
https://www.django-rest-framework.org/api-guide/authentication/#sessionauthentication
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.hardening.applications import Application
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.hardening import ForgeryProtection
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_CSRF = "django.middleware.csrf.CsrfViewMiddleware"
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
        for value, scope in gathered.production.given(site, "MIDDLEWARE")
        for node in form.walk(value)
        if isinstance(node, form.Const) and isinstance(node.value, str)
    }
    views = [
        (r, e)
        for r, e in gathered.endpoints
        if _is_view(e) and gathered.owners.of(e.location.path) is application.service
    ]
    signed_in = (listed[_SIGNED_IN],) if _SIGNED_IN in listed and views else ()
    if _CSRF in listed:
        yield ForgeryProtection(application.name, application.location, Role.PROD, signed_in, True, (listed[_CSRF],))
        yield from _left_out(views)
    else:
        absent = (Evidence(application.location, f"`{_CSRF}` isn't installed"),)
        yield ForgeryProtection(application.name, application.location, Role.PROD, signed_in, False, absent)
    yield from _unchecked_sessions(application, gathered)


def _is_view(endpoint: Endpoint) -> bool:
    return endpoint.framework == "Django" and endpoint.role is Role.PROD and endpoint.method in _CHANGING


def _left_out(views: list[tuple[Route, Endpoint]]) -> Iterator[ForgeryProtection]:
    """`@csrf_exempt`, on a view that a cookie opens."""
    seen: set[FunctionSymbol] = set()
    for route, endpoint in views:
        handler = route.handler
        exemption = _exemption(route) if handler is not None and handler not in seen else None
        if handler is None or exemption is None:
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


def _names(node: form.Expr, name: str) -> bool:
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
            continue
        check = cls.methods.get("enforce_csrf")
        cookie = (cls.module.evidence(cls.node, "it signs in by the session's cookie"),)
        if check is not None and not _calls_anything(check):
            dropped = (Evidence(check.location, "the check is dropped"),)
            yield ForgeryProtection(cls.id, cls.location, Role.PROD, _headline(cls), False, dropped)
        elif check is None:
            yield ForgeryProtection(cls.id, cls.location, Role.PROD, cookie, True, _headline(cls))


def _headline(cls: ClassSymbol) -> tuple[Evidence, ...]:
    return (Evidence(cls.location, "it signs in by the session's cookie"),)


def _calls_anything(function: FunctionSymbol) -> bool:
    return any(isinstance(node, form.Call | form.Raise) for node in function.nodes)
