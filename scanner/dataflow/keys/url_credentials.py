"""Credentials that are read from a query string or put into one, and those that are read from headers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TypeGuard

from assay.scanner.dataflow.constants import list_items, string_value
from assay.scanner.dataflow.keys.places import node_at, scope_at
from assay.scanner.dataflow.keys.query_parameters import QueryParameters
from assay.scanner.dataflow.keys.sent_urls import sent_in_urls
from assay.scanner.dataflow.keys.url_parts import LINKS, OF_OTHERS, UrlPart, is_credential, is_of_session, is_sure
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.dataflow.secrets.undeployed import is_undeployed
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.key import UrlCredential, UrlUse
from assay.scanner.model.place import Evidence
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
_IDENTIFYING = frozenset(
    {
        "auth",
        "authenticate",
        "authentication",
        "authorize",
        "authorized",
        "current",
        "login",
        "require",
        "required",
        "requires",
        "user",
    }
)
"""Words of code that finds out who is calling."""


class UrlCredentials:
    """All of them in the production code of a project."""

    def __init__(self, gathered: Gathered) -> None:
        self._project = gathered.project
        self._routes = [route for route, _ in gathered.endpoints]
        self._settings = gathered.settings
        self._production = gathered.production
        self._handlers: dict[FunctionSymbol, list[Route]] = {}
        for route in self._routes:
            if route.handler is not None:
                self._handlers.setdefault(route.handler, []).append(route)

    def all(self) -> Iterator[UrlCredential]:
        """Each once, in order of path and position."""
        found = {
            read.location: read
            for reads in (
                sent_in_urls(self._project),
                self._read_in_bodies(),
                self._parameters(),
                self._schemes(),
                self._located(),
            )
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

    def _read_in_bodies(self) -> Iterator[UrlPart]:
        for function in self._functions():
            signed = {a.value for n in function.nodes if _reads_signed(n) for a in n.args}
            for node in function.nodes:
                read = _read_of(node)
                if read is None:
                    continue
                owner, key = read
                name = string_value(key, function.scope, self._project)
                where = _place_of(owner, function.scope)
                if name is None or where is None:
                    continue
                if node in signed:
                    continue
                use = self._in_header(name) if where is UrlUse.HEADER else self._in_url(name, function, owner)
                if use is not None:
                    yield UrlPart(name, function.scope, function.module.location(node), use)

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
        if not is_credential(name):
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
        if is_sure(name) and not OF_OTHERS & spoken:
            return UrlUse.READ
        if (LINKS | OF_OTHERS) & spoken:
            return UrlUse.LINK
        spoken_by_decorators = {w for d in function.decorators for w in words(_spelled(d))}
        is_asking = _IDENTIFYING & {*words(function.qualname), *spoken_by_decorators} or _reads_authorization(function)
        if is_of_session(name) and not is_asking:
            return None
        return UrlUse.READ if is_asking and not routes else UrlUse.TOKEN

    def _parameters(self) -> Iterator[UrlPart]:
        """Parameters that a framework fills from the path or the query string."""
        found: dict[form.Param, UrlPart] = {}
        for name, param, function, is_in_path in QueryParameters(self._project, self._handlers).all():
            use = _in_path(name) if is_in_path else self._in_url(name, function, None)
            if use is not None:
                found.setdefault(param, UrlPart(name, function.scope, function.module.location(param), use))
        yield from found.values()

    def _schemes(self) -> Iterator[UrlPart]:
        for call, scope in self._project.calls_named(*{name.rpartition(".")[2] for name in _SCHEMES}):
            callee = self._project.infer(call.func, scope)
            in_query = _SCHEMES.get(callee.name) if isinstance(callee, External) else None
            if in_query is not None:
                use = UrlUse.READ if in_query else UrlUse.HEADER
                yield UrlPart(last_name(call.func) or "", scope, scope.module.location(call), use)

        for module in self._project.modules.values():
            for cls in module.classes if "ninja" in module.imported_packages else ():
                bases = self._project.base_names(cls) & _NINJA.keys()
                if bases:
                    use = UrlUse.READ if any(_NINJA[base] for base in bases) else UrlUse.HEADER
                    yield UrlPart(cls.name, cls.scope, cls.location, use)

    def _located(self) -> Iterator[UrlPart]:
        """`JWT_TOKEN_LOCATION` of Flask-JWT-Extended."""
        for setting in self._settings:
            if setting.name != "JWT_TOKEN_LOCATION" or setting.source != "Flask config":
                continue
            for meaning in self._production.stated(setting):
                place = meaning.evidence.location
                node, scope = node_at(place, self._project), scope_at(place, self._project)
                for item, owner in list_items(node, scope, self._project) if isinstance(node, form.Display) else ():
                    if isinstance(item, form.Const) and item.value == "query_string":
                        yield UrlPart(setting.name, owner, owner.module.location(item), UrlUse.READ)


def _in_path(name: str) -> UrlUse | None:
    """What a credential of that name in the path is; a token there is a link's, and `/secrets/{secret}` names one."""
    if is_password(name):
        return UrlUse.READ
    return UrlUse.TOKEN if is_sure(name) and name != "secret" else None


def _read_of(node: form.Expr | form.Stmt) -> tuple[form.Expr, form.Expr] | None:
    """What a part of is read, and the key of the part."""
    match node:
        case form.Subscript(value=form.Attr() | form.Name() as owner, index=key):
            return owner, key
        case form.Call(func=form.Attr(value=form.Attr() | form.Name() as owner, attr=method), args=[first, *_]) if (
            method in _GETTING
        ):
            return owner, first.value
        case form.Call(func=form.Attr(attr=method) as owner, args=[form.Arg(value=key), *_]) if (
            method in _QUERY_METHODS
        ):
            return owner, key
    return None


def _reads_signed(node: form.Expr | form.Stmt) -> TypeGuard[form.Call]:
    """Whether it reads a signed text, which is a link's and is no key."""
    return isinstance(node, form.Call) and last_name(node.func) in ("loads", "unsign", "unsign_object", "check_token")


def _place_of(owner: form.Expr, scope: Scope) -> UrlUse | None:
    """Where in a request the part is; None where it is in no request."""
    if isinstance(owner, form.Name):
        bindings = scope.lookup(owner.id, owner.start)
        owner = _whole(bindings[-1].value) or owner if bindings and bindings[-1].how is How.ASSIGN else owner
    if not isinstance(owner, form.Attr) or last_name(owner.value) not in _REQUESTS:
        return None
    if owner.attr in _QUERIES or owner.attr in _QUERY_METHODS:
        return UrlUse.READ
    return UrlUse.HEADER if owner.attr in _HEADERS else None


def _whole(node: form.Expr | None) -> form.Expr | None:
    """Without calls that give the same part of a request as another mapping: `request.args.to_dict()`."""
    match node:
        case form.Call(func=form.Attr(value=inner, attr="to_dict" | "copy" | "dict")):
            return inner
        case form.Call(func=form.Name(id="dict"), args=[form.Arg(value=inner)]):
            return inner
    return node


def _names_in(node: form.Expr) -> set[str]:
    return {last_name(n) or "" for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}


def _spelled(node: form.Expr) -> str:
    return form.dotted(node.func if isinstance(node, form.Call) else node) or ""


def _reads_authorization(function: FunctionSymbol) -> bool:
    return any(isinstance(n, form.Const) and n.value in ("Authorization", "HTTP_AUTHORIZATION") for n in function.nodes)
