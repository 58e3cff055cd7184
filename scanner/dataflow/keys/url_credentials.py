"""Credentials that are read from a query string or put into one, and those that are read from headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import TypeGuard

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.lexicon import sensitivity, words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.undeployed import is_undeployed
from assay.scanner.dataflow.sources import injection, path_parameters
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.key import UrlCredential, UrlUse
from assay.scanner.model.log import Sensitivity
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_QUERIES = frozenset({"args", "query_params", "GET", "query", "query_args"})
"""Attributes of requests that hold what stands behind the question mark."""
_HEADERS = frozenset({"headers", "META"})
_REQUESTS = frozenset({"request", "req", "rel_url", "websocket", "ws", "self", "flask_request", "http_request"})
_GETTING = frozenset({"get", "getlist", "getone", "pop", "get_all", "getall"})
_QUERY_METHODS = frozenset({"get_query_argument", "get_query_arguments", "get_param"})
"""Methods of Tornado's handlers and Falcon's requests."""
_SOCKETS = frozenset({"websocket", "ws", "socket"})
_SENDING = ("get", "post", "put", "delete", "patch", "request", "head", "stream")
_BY_SIGNATURE = frozenset({"fastapi", "litestar", "ninja", "django-ninja"})
"""Frameworks that take plain parameters of a handler from the query string."""
_IN_QUERY = frozenset({"Query"})
_ELSEWHERE = frozenset({"Header", "Cookie", "Form", "Body", "File", "Path", "Depends", "Security"})
_SCHEMES = {
    "fastapi.security.APIKeyQuery": True,
    "fastapi.security.api_key.APIKeyQuery": True,
    "fastapi.security.APIKeyHeader": False,
    "fastapi.security.HTTPBearer": False,
    "fastapi.security.HTTPBasic": False,
    "fastapi.security.OAuth2PasswordBearer": False,
}
"""Security schemes, and whether they take the credential from the query string."""
_NINJA = {
    "ninja.security.APIKeyQuery": True,
    "ninja.security.APIKeyHeader": False,
    "ninja.security.HttpBearer": False,
    "ninja.security.HttpBasicAuth": False,
}
"""The same of Django Ninja, which are derived from."""
_SURE = frozenset(
    {
        "access_token", "accesstoken", "api_key", "apikey", "api_token", "apitoken", "auth_token", "authtoken",
        "bearer", "client_secret", "id_token", "jwt", "refresh_token", "secret", "session_id", "session_token",
        "sessionid", "sid",
    }
)  # fmt: skip
"""Names that leave no doubt that whoever has the value is let in again and again."""
_LINKS = frozenset(
    {
        "accept", "activate", "activation", "callback", "confirm", "confirmation", "download", "email", "embed",
        "export", "feed", "forgot", "ical", "invitation", "invite", "join", "magic", "oauth", "preview", "public",
        "recover", "redirect", "register", "reset", "share", "shared", "signup", "unsubscribe", "verification",
        "verify", "webhook",
    }
)  # fmt: skip
"""Words of code that answers links which are sent to somebody, and other parties' redirects."""
_OF_OTHERS = frozenset({"callback", "redirect", "webhook", "hook"})
"""Words of code that another party calls, or sends a browser to, by an address that is agreed on."""
_IDENTIFYING = frozenset(
    {"auth", "authenticate", "authentication", "authorize", "authorized", "current", "login", "required", "user"}
)
"""Words of code that finds out who is calling."""


@dataclass(frozen=True, slots=True)
class _Read:
    name: str
    scope: Scope
    location: Location
    use: UrlUse


class UrlCredentials:
    """All of them in the production code of a project."""

    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._routes = [route for route, _ in gathered.endpoints]
        self._settings = gathered.settings
        self._handlers: dict[FunctionSymbol, list[Route]] = {}
        for route in self._routes:
            if route.handler is not None:
                self._handlers.setdefault(route.handler, []).append(route)

    def all(self) -> Iterator[UrlCredential]:
        """Each once, in order of path and position."""
        found = {
            read.location: read
            for reads in (self._read_in_bodies(), self._parameters(), self._schemes(), self._sent(), self._located())
            for read in reads
            if read.scope.module.role is Role.PROD
        }
        ordinals = Ordinals()
        for read in sorted(found.values(), key=lambda r: r.location):
            function = around(read.scope)
            text = "it is in a header" if read.use is UrlUse.HEADER else "it is in the URL"
            yield UrlCredential(
                function=function,
                what=read.name,
                ordinal=ordinals.next(function, read.name),
                location=read.location,
                role=read.scope.module.role,
                use=read.use,
                evidence=(Evidence(read.location, text),),
                aside="it is for development or tests" if is_undeployed(read.scope) else None,
            )

    # --- reads ---

    def _read_in_bodies(self) -> Iterator[_Read]:
        for function in self._functions():
            signed = {a.value for n in function.nodes if _reads_signed(n) for a in n.args}
            for node in function.nodes:
                read = _read_of(node)
                if read is None:
                    continue
                owner, key = read
                name = string_value(key, function.scope, self._project)
                where = _place_of(owner)
                if name is None or where is None:
                    continue
                if node in signed:
                    continue
                use = self._in_header(name) if where is UrlUse.HEADER else self._in_url(name, function, owner)
                if use is not None:
                    yield _Read(name, function.scope, function.module.location(node), use)

    def _functions(self) -> Iterable[FunctionSymbol]:
        """Those that have a request: handlers, functions that take one, and all in modules that import Flask's."""
        found = dict.fromkeys(self._handlers)
        for name in ("request", "req", "websocket"):
            found.update(dict.fromkeys(self._project.functions_taking(name)))
        for module in self._project.modules.values():
            if module.imported_packages & {"flask", "quart", "bottle", "sanic"} and "request" in module.scope.bindings:
                found.update(dict.fromkeys(module.functions))
        return found

    def _in_header(self, name: str) -> UrlUse | None:
        parts = words(name.removeprefix("HTTP_"))
        is_key = (
            bool(parts)
            and not {"csrf", "xsrf"} & set(parts)
            and (parts[-1] in ("authorization", "token") or parts[-2:] == ("api", "key"))
        )
        return UrlUse.HEADER if is_key else None

    def _in_url(self, name: str, function: FunctionSymbol, owner: form.Expr | None) -> UrlUse | None:
        """What a credential of that name in the query string is; None for what is none."""
        lowered = "_".join(words(name))
        if not (is_password(name) or lowered in _SURE or sensitivity(name) is Sensitivity.CREDENTIAL):
            return None
        spoken = {*words(function.qualname), *(w for r in self._handlers.get(function, ()) for w in words(r.path))}
        routes = self._handlers.get(function, ())
        takes_socket = any(
            "WebSocket" in _names_in(p.annotation) for p in function.parameters if p.annotation is not None
        )
        if takes_socket or (owner is not None and _SOCKETS & _names_in(owner)):
            return UrlUse.SOCKET
        if is_password(name):
            return UrlUse.READ
        if lowered in _SURE and not _OF_OTHERS & spoken:
            return UrlUse.READ
        if (_LINKS | _OF_OTHERS) & spoken:
            return UrlUse.LINK
        spoken_by_decorators = {w for d in function.decorators for w in words(_spelled(d))}
        is_asking = _IDENTIFYING & {*words(function.qualname), *spoken_by_decorators} or _reads_authorization(function)
        return UrlUse.READ if is_asking and not routes else UrlUse.TOKEN

    def _parameters(self) -> Iterator[_Read]:
        """Parameters that a framework fills from the query string."""
        marked: dict[FunctionSymbol, None] = {}
        modules = dict.fromkeys(scope.module for _, scope in self._project.calls_named(*_IN_QUERY))
        for module in modules:
            marked.update(dict.fromkeys(module.functions))
        for function in dict.fromkeys((*self._handlers, *marked)):
            routes = self._handlers.get(function, [])
            is_bound = any(route.framework.lower() in _BY_SIGNATURE for route in routes)
            in_path = {name for route in routes for name in path_parameters(route.path)}
            for param in function.parameters:
                if param.name in in_path or not self._is_in_query(param, function, is_bound=is_bound):
                    continue
                use = self._in_url(param.name, function, None)
                if use is not None:
                    yield _Read(param.name, function.scope, function.module.location(param), use)

    def _is_in_query(self, param: form.Param, function: FunctionSymbol, *, is_bound: bool) -> bool:
        stated = [node for node in (param.default, param.annotation) if node is not None]
        calls = {last_name(n.func) for node in stated for n in form.walk(node) if isinstance(n, form.Call)}
        if calls & _IN_QUERY:
            return True
        if not is_bound or calls & _ELSEWHERE or param.annotation is None:
            return False
        if any(injection(node, function.outer, self._project) is not None for node in stated):
            return False
        declared = self._project.annotation_class(param.annotation, function.outer)
        return isinstance(declared, External) and declared.name == "builtins.str"

    def _schemes(self) -> Iterator[_Read]:
        for call, scope in self._project.calls_named(*{name.rpartition(".")[2] for name in _SCHEMES}):
            callee = self._project.infer(call.func, scope)
            in_query = _SCHEMES.get(callee.name) if isinstance(callee, External) else None
            if in_query is not None:
                use = UrlUse.READ if in_query else UrlUse.HEADER
                yield _Read(last_name(call.func) or "", scope, scope.module.location(call), use)

        for module in self._project.modules.values():
            for cls in module.classes if "ninja" in module.imported_packages else ():
                bases = self._project.base_names(cls) & _NINJA.keys()
                if bases:
                    use = UrlUse.READ if any(_NINJA[base] for base in bases) else UrlUse.HEADER
                    yield _Read(cls.name, cls.scope, cls.location, use)

    def _located(self) -> Iterator[_Read]:
        """`JWT_TOKEN_LOCATION` of Flask-JWT-Extended."""
        for setting in self._settings:
            if setting.name != "JWT_TOKEN_LOCATION" or setting.source != "Flask config":
                continue
            module = self._project.modules[setting.location.path]
            for scope in module.scopes:
                for binding in scope.bindings.get(setting.name, ()):
                    for item, place in list_items(binding.value, scope, self._project) if binding.value else ():
                        if isinstance(item, form.Const) and item.value == "query_string":
                            yield _Read(setting.name, place, place.module.location(item), UrlUse.READ)

    # --- what the service itself sends ---

    def _sent(self) -> Iterator[_Read]:
        for call, scope in self._project.calls_named(*_SENDING):
            params = call.keyword("params")
            if params is None:
                continue
            pairs = zip(params.keys, params.values, strict=True) if isinstance(params, form.Dict) else ()
            for key, value in pairs:
                name = string_value(key, scope, self._project) if key is not None else None
                if name is None or isinstance(value, form.Const):
                    continue
                if is_password(name):
                    yield _Read(name, scope, scope.module.location(value), UrlUse.SENT)
                elif "_".join(words(name)) in _SURE:
                    yield _Read(name, scope, scope.module.location(value), UrlUse.SENT_KEY)


def _read_of(node: form.Expr | form.Stmt) -> tuple[form.Expr, form.Expr] | None:
    """What a part of is read, and the key of the part."""
    match node:
        case form.Subscript(value=form.Attr() as owner, index=key):
            return owner, key
        case form.Call(func=form.Attr(value=form.Attr() as owner, attr=method), args=[form.Arg(value=key), *_]):
            if method in _GETTING:
                return owner, key
        case form.Call(func=form.Attr(attr=method) as owner, args=[form.Arg(value=key), *_]) if (
            method in _QUERY_METHODS
        ):
            return owner, key
    return None


def _reads_signed(node: form.Expr | form.Stmt) -> TypeGuard[form.Call]:
    """Whether it reads a signed text, which is a link's and is no key."""
    return isinstance(node, form.Call) and last_name(node.func) in ("loads", "unsign", "unsign_object", "check_token")


def _place_of(owner: form.Expr) -> UrlUse | None:
    """Where in a request the part is; None where it is in no request."""
    if not isinstance(owner, form.Attr) or last_name(owner.value) not in _REQUESTS:
        return None
    if owner.attr in _QUERIES or owner.attr in _QUERY_METHODS:
        return UrlUse.READ
    return UrlUse.HEADER if owner.attr in _HEADERS else None


def _names_in(node: form.Expr) -> set[str]:
    return {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}


def _spelled(node: form.Expr) -> str:
    return form.dotted(node.func if isinstance(node, form.Call) else node) or ""


def _reads_authorization(function: FunctionSymbol) -> bool:
    return any(isinstance(n, form.Const) and n.value in ("Authorization", "HTTP_AUTHORIZATION") for n in function.nodes)
