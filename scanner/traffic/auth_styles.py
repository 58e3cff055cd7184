"""How the callers of a service say who they are: by a cookie, which browsers send unasked, or by a header."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.lexicon import words
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.model.setting import Setting
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
_TOLD = "callers are told by this"
_READING = ("get", "get_header", "getone")
_HEADERS = frozenset({"authorization", "authentication", "x-api-key", "api-key", "x-auth-token", "x-access-token"})
_IN_ENVIRON = frozenset({"http_" + name.replace("-", "_") for name in _HEADERS})
_COOKIE_WORDS = ("token", "session", "auth", "jwt")
_IDENTITIES = frozenset({"user", "username", "userid", "uid", "account", "email", "token"})
"""Words of what a session holds of who is signed in."""
_PARAMETERS = {"Cookie": "cookies", "Header": "headers"}
"""What FastAPI reads a parameter from, and the mapping of a request that this is."""
_JWT_PLACES = "JWT_TOKEN_LOCATION"
"""Where Flask-JWT-Extended looks for tokens: in headers, unless told otherwise."""
_GUARDED_KINDS = (EndpointKind.JSON, EndpointKind.HTML, EndpointKind.GRAPHQL)
_COOKIE_CLASSES = ("SessionAuthentication", "CookieAuthentication", "RemoteUserAuthentication")


def auth_style(gathered: Gathered, production: Production) -> tuple[AuthStyle, Evidence | None]:
    """How callers say who they are, with the place that shows it: of a cookie, if one is among the ways."""
    guarded = [e for _, e in gathered.endpoints if e.auth and e.role is Role.PROD and e.kind in _GUARDED_KINDS]
    if not guarded:
        return AuthStyle.NONE, None
    cookie = next(_by_cookie(guarded, gathered, production), None)
    header = next(_by_header(gathered, production), None)
    if cookie is not None:
        return AuthStyle.COOKIE if header is None else AuthStyle.BOTH, cookie
    return (AuthStyle.HEADER, header) if header is not None else (AuthStyle.UNKNOWN, None)


def _by_cookie(guarded: list[Endpoint], gathered: Gathered, production: Production) -> Iterator[Evidence]:
    project = gathered.project
    yield from _made(_COOKIE_SCHEMES, project)
    yield from (Evidence(s.location, _TOLD) for s in _jwt_places(gathered) if "cookies" in (s.value or ""))
    yield from _in_session(project)
    yield from (shown for name, shown in _classes(production) if name.endswith(_COOKIE_CLASSES))
    for owner, key, shown in _looked_up(project):
        if owner == "cookies" and any(word in key for word in _COOKIE_WORDS):
            yield shown
    for endpoint in guarded:
        if endpoint.framework == "Django" and endpoint.guards and not _COOKIE_GUARDS.isdisjoint(endpoint.auth):
            yield endpoint.guards[0]


def _by_header(gathered: Gathered, production: Production) -> Iterator[Evidence]:
    project = gathered.project
    places = _jwt_places(gathered)
    yield from (Evidence(s.location, _TOLD) for s in places if "headers" in (s.value or ""))
    yield from _made(tuple(name for name in _HEADER_SCHEMES if not places or name != "JWTManager"), project)
    yield from (shown for name, shown in _classes(production) if not name.endswith(_COOKIE_CLASSES))
    for owner, key, shown in _looked_up(project):
        if (owner == "headers" and key in _HEADERS) or key in _IN_ENVIRON:
            yield shown


def _made(names: tuple[str, ...], project: Project) -> Iterator[Evidence]:
    for call, scope in project.calls_named(*names):
        if scope.module.role is Role.PROD:
            yield scope.module.evidence(call, _TOLD)


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
                    yield node.value, scope.module.evidence(node, _TOLD)


def _jwt_places(gathered: Gathered) -> list[Setting]:
    return [s for s in gathered.settings if s.name == _JWT_PLACES and s.value is not None and s.role is Role.PROD]


def _in_session(project: Project) -> Iterator[Evidence]:
    """`session.get("user_id")`, `"user_id" in session`: a session's cookie says who is calling."""
    for call, scope in project.calls_named("get"):
        owner = last_name(call.func.value) if isinstance(call.func, form.Attr) else None
        if owner == "session" and call.positional and _names_identity(call.positional[0]):
            yield scope.module.evidence(call, _TOLD)
    for module in project.modules.values():
        for test, _ in module.comparisons if module.role is Role.PROD else ():
            asked = test.ops[0] in ("in", "not in") and last_name(test.rights[0]) == "session"
            if asked and _names_identity(test.left):
                yield module.evidence(test, _TOLD)


def _names_identity(node: form.Expr) -> bool:
    return (
        isinstance(node, form.Const) and isinstance(node.value, str) and not _IDENTITIES.isdisjoint(words(node.value))
    )


def _as_parameters(project: Project) -> Iterator[tuple[str, str, Evidence]]:
    """`def user(access_token: str = Cookie())`, `authorization: Annotated[str, Header()]`."""
    modules = {scope.module: None for _, scope in project.calls_named(*_PARAMETERS)}
    for function in (f for module in modules for f in module.functions if module.role is Role.PROD):
        for parameter in function.parameters:
            for node in (
                n for stated in (parameter.default, parameter.annotation) if stated for n in form.walk(stated)
            ):
                place = _PARAMETERS.get(last_name(node.func) or "") if isinstance(node, form.Call) else None
                if place is not None:
                    shown = function.module.evidence(node, _TOLD)
                    yield place, parameter.name.lower().replace("_", "-"), shown


def _looked_up(project: Project) -> Iterator[tuple[str, str, Evidence]]:
    """`request.cookies.get("session")`: the mapping's name, the key, the place."""
    yield from _as_parameters(project)
    for call, scope in project.calls_named(*_READING):
        key = call.positional[0] if call.positional else None
        if isinstance(key, form.Const) and isinstance(key.value, str) and isinstance(call.func, form.Attr):
            owner = call.func.attr if call.func.attr == "get_header" else last_name(call.func.value) or ""
            name = {"get_header": "headers", "COOKIES": "cookies"}.get(owner, owner)
            if scope.module.role is Role.PROD and (name in ("headers", "cookies") or key.value.startswith("HTTP_")):
                yield name, key.value.lower(), scope.module.evidence(call, _TOLD)
