"""How the callers of a service say who they are: by a cookie, which browsers send unasked, or by a header."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.traffic import AuthStyle
from assay.scanner.readers.python import form

_HEADER_SCHEMES = (
    "OAuth2PasswordBearer", "HTTPBearer", "HTTPBasic", "HTTPDigest", "APIKeyHeader", "OAuth2AuthorizationCodeBearer",
    "OpenIdConnect", "HTTPTokenAuth", "HTTPBasicAuth", "MultiAuth", "JWTManager", "JWTAuth", "OAuth2PasswordBearerAuth",
    "BearerTransport",
)  # fmt: skip
"""What reads tokens from headers, by the last name of the call that makes it."""
_COOKIE_SCHEMES = ("APIKeyCookie", "JWTCookieAuth", "SessionAuth", "LoginManager", "CookieTransport")
_COOKIE_GUARDS = frozenset(
    {"login_required", "LoginRequiredMixin", "permission_required", "LoginRequiredMiddleware", "staff_member_required"}
)
_READING = ("get", "get_header", "getone")
_HEADERS = frozenset({"authorization", "authentication", "x-api-key", "api-key", "x-auth-token", "x-access-token"})
_IN_ENVIRON = frozenset({"http_" + name.replace("-", "_") for name in _HEADERS})
_COOKIE_WORDS = ("token", "session", "auth", "jwt")
_GUARDED_KINDS = (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.GRAPHQL)
_COOKIE_CLASSES = ("SessionAuthentication", "CookieAuthentication", "RemoteUserAuthentication")


def auth_style(gathered: Gathered, production: Production) -> tuple[AuthStyle, Evidence | None]:
    """How callers say who they are, with the place that shows it: of a cookie, if one is among the ways."""
    guarded = [e for _, e in gathered.endpoints if e.auth and e.role is Role.PROD and e.kind in _GUARDED_KINDS]
    if not guarded:
        return AuthStyle.NONE, None
    cookie = next(_by_cookie(guarded, gathered.project, production), None)
    header = next(_by_header(gathered.project, production), None)
    if cookie is not None:
        return AuthStyle.COOKIE if header is None else AuthStyle.BOTH, cookie
    return (AuthStyle.HEADER, header) if header is not None else (AuthStyle.UNKNOWN, None)


def _by_cookie(guarded: list[Endpoint], project: Project, production: Production) -> Iterator[Evidence]:
    yield from _made(_COOKIE_SCHEMES, project)
    yield from (shown for name, shown in _classes(production) if name.endswith(_COOKIE_CLASSES))
    for owner, key, shown in _looked_up(project):
        if owner == "cookies" and any(word in key for word in _COOKIE_WORDS):
            yield shown
    for endpoint in guarded:
        if endpoint.framework == "Django" and endpoint.guards and not _COOKIE_GUARDS.isdisjoint(endpoint.auth):
            yield endpoint.guards[0]


def _by_header(project: Project, production: Production) -> Iterator[Evidence]:
    yield from _made(_HEADER_SCHEMES, project)
    yield from (shown for name, shown in _classes(production) if not name.endswith(_COOKIE_CLASSES))
    for owner, key, shown in _looked_up(project):
        if (owner == "headers" and key in _HEADERS) or key in _IN_ENVIRON:
            yield shown


def _made(names: tuple[str, ...], project: Project) -> Iterator[Evidence]:
    for call, scope in project.calls_named(*names):
        if scope.module.role is Role.PROD:
            yield scope.module.evidence(call, "callers are told by this")


def _classes(production: Production) -> Iterator[tuple[str, Evidence]]:
    """What Django REST framework tells callers by: tokens come in a header, sessions in a cookie."""
    for site in production.sites:
        for value, scope in production.given(site, "REST_FRAMEWORK"):
            for node in form.walk(value):
                if (
                    isinstance(node, form.Const)
                    and isinstance(node.value, str)
                    and node.value.endswith("Authentication")
                ):
                    yield node.value, scope.module.evidence(node, "callers are told by this")


def _looked_up(project: Project) -> Iterator[tuple[str, str, Evidence]]:
    """`request.cookies.get("session")`: the mapping's name, the key, the place."""
    for call, scope in project.calls_named(*_READING):
        key = call.positional[0] if call.positional else None
        if isinstance(key, form.Const) and isinstance(key.value, str) and isinstance(call.func, form.Attr):
            owner = call.func.attr if call.func.attr == "get_header" else last_name(call.func.value) or ""
            name = {"get_header": "headers", "COOKIES": "cookies"}.get(owner, owner)
            if scope.module.role is Role.PROD and (name in ("headers", "cookies") or key.value.startswith("HTTP_")):
                yield name, key.value.lower(), scope.module.evidence(call, "callers are told by this")
