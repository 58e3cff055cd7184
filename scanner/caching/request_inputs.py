"""What of a request an expression names: who is asking, the session, a header, the query string."""

from __future__ import annotations

from assay.scanner.caching.parsed_arguments import parsed_argument
from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.lookups.decorators import filled
from assay.scanner.dataflow.lookups.labels import CALLER_WORDS, injected
from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, How, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.cached_result import Input, InputKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_TENANTS = frozenset("tenant org organization organisation workspace company team".split())
_OF_REQUESTS = {
    **dict.fromkeys(("user", "auser", "auth", "authorization", "identity"), InputKind.USER),
    **dict.fromkeys(_TENANTS, InputKind.TENANT),
    **dict.fromkeys(("COOKIES", "cookies"), InputKind.COOKIE),
    **dict.fromkeys(("META", "headers", "accept_languages", "accept_mimetypes"), InputKind.HEADER),
    **dict.fromkeys(("remote_addr", "client", "access_route"), InputKind.ADDRESS),
    **dict.fromkeys(("GET", "args", "query_params", "query_string", "values", "query", "full_path"), InputKind.QUERY),
    **dict.fromkeys(("url", "get_full_path", "build_absolute_uri", "rel_url", "raw_uri"), InputKind.QUERY),
    **dict.fromkeys(("POST", "FILES", "body", "data", "json", "get_json", "form", "files"), InputKind.BODY),
    **dict.fromkeys(("path", "path_info", "path_params", "view_args", "endpoint", "base_url"), InputKind.PATH),
    **dict.fromkeys(("host", "get_host"), InputKind.HOST),
    "session": InputKind.SESSION,
}
"""Attributes and methods of the requests of Django, DRF, Flask, Starlette, aiohttp and Sanic."""
_NAMES = {
    **dict.fromkeys(
        ("flask_login.current_user", "flask_jwt_extended.current_user", "flask_security.current_user"), InputKind.USER
    ),
    **dict.fromkeys(("flask.session", "quart.session"), InputKind.SESSION),
}
_SPELLED = frozenset({"current_user", "session"})
_ASKING = frozenset(
    """get_current_user get_jwt_identity get_jwt get_identity get_current_user_id current_identity
    get_user_id_from_token logged_in_user get_current_active_user""".split()
)
"""Functions that tell who is asking."""
_TEMPLATES = frozenset(
    {
        "django.shortcuts.render", "django.template.response.TemplateResponse", "flask.render_template",
        "quart.render_template", "django.template.loader.render_to_string",
    }
)  # fmt: skip
_REQUESTS = frozenset({"request", "req", "websocket", "connection"})
_CREDENTIALS = ("authorization", "token", "apikey", "api-key", "session", "cookie")
"""Words in names of headers that say who is asking."""
_CONTEXTS = frozenset({"info", "context"})
_SERVING = frozenset("service repo repository db session settings form manager dao client store factory".split())
_GIVEN = frozenset("user uid viewer caller tenant org organization organisation workspace".split())
_DECLARED = {"Header": InputKind.HEADER, "Cookie": InputKind.COOKIE, "Query": InputKind.QUERY}
_SCALARS = frozenset({"str", "int", "float", "bool", "UUID", "date", "datetime", "Decimal", "EmailStr"})


class RequestInputs:
    """Tells them in one project."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._sources = RequestSources(project, {})

    def of(self, node: form.Expr, scope: Scope) -> Input | None:
        """What it is of the request; None for what has to be looked into, or is nothing of it."""
        if "add_argument" in scope.module.calls_by_name:
            parsed = parsed_argument(node, scope, self._project)
            if parsed is not None:
                return self._of_jar(*parsed, node, scope)
        match node:
            case form.Call(func=form.Attr(value=owner, attr="get" | "getlist"), args=[key, *_]) if self._is_jar(
                owner, scope
            ):
                return self._item(owner, key.value, node, scope)
            case form.Call(func=func) if last_name(func) in _ASKING:
                return self._input(InputKind.USER, node, scope)
            case form.Subscript(value=owner, index=index) if self._is_jar(owner, scope):
                return self._item(owner, index, node, scope)
            case form.Name(id=name) if name in _SPELLED:
                return self._named(node, scope)
            case form.Attr():
                return self._attribute(node, scope)
        return None

    def is_request(self, node: form.Expr, scope: Scope) -> bool:
        """Also `self.context["request"]` of serializers and `info.context.request` of GraphQL."""
        if isinstance(node, form.Subscript) and isinstance(node.index, form.Const) and node.index.value == "request":
            return last_name(node.value) in _CONTEXTS
        name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
        return name in _REQUESTS and self._sources.is_request(node, scope)

    def shows_a_template(self, call: form.Call, scope: Scope) -> bool:
        """Whether it renders a template, which can name the user, the session and messages by itself."""
        name = self._project.callee_name(call, scope)
        return name in _TEMPLATES or (name is not None and name.endswith("Jinja2Templates.TemplateResponse"))

    def is_caller(self, function: FunctionSymbol, param: form.Param) -> bool:
        """Whether a decorator fills it with who is asking: `return view(current_user, *args, **kwargs)`."""
        named = {*words(param.name)}
        if not named & CALLER_WORDS or named & _SERVING:
            return False
        return param.name.startswith("current_") or param.name in filled(function, self._project)

    def is_given_caller(self, function: FunctionSymbol, param: form.Param) -> bool:
        """Whether a function that answers no request itself is told who asks: `user`, `tenant_id`. A user that comes
        with a password is the service's own at another.
        """
        others = {word for p in function.parameters for word in words(p.name)}
        named = {*words(param.name)}
        return bool(named & _GIVEN) and not named & _SERVING and not others & {"password", "secret", "credentials"}

    def of_parameter(self, function: FunctionSymbol, param: form.Param, in_path: frozenset[str]) -> Input | None:
        """What a framework that reads signatures fills a handler's parameter with, by what it is declared as."""
        provider = next((p for filled, p in injected(function, self._project) if filled is param), None)
        if provider is not None:
            node = provider.node.func if isinstance(provider.node, form.Call) else provider.node
            named = {*words(param.name), *words(last_name(node) or "")}
            if named & CALLER_WORDS and not named & _SERVING:
                kind = InputKind.TENANT if named & _TENANTS and "user" not in named else InputKind.USER
                return self._input(kind, param, function.scope, param.name)
            return None
        for declared in (param.default, param.annotation):
            for call in form.walk(declared) if declared is not None else ():
                stated = _DECLARED.get(last_name(call.func) or "") if isinstance(call, form.Call) else None
                if stated is not None:
                    return self._input(stated, param, function.scope, param.name)
        if param.name in in_path:
            return self._input(InputKind.ARGUMENT, param, function.scope, param.name)
        return self._input(InputKind.QUERY, param, function.scope, param.name) if is_scalar(param) else None

    def _named(self, node: form.Name, scope: Scope) -> Input | None:
        value = self._project.infer(node, scope)
        name = value.name if isinstance(value, External) else value.type_name if isinstance(value, Instance) else ""
        kind = _NAMES.get(name)
        return self._input(kind, node, scope) if kind is not None else None

    def _attribute(self, node: form.Attr, scope: Scope) -> Input | None:
        owner = node.value
        if isinstance(owner, form.Name) and owner.id in ("g", "session"):
            external = self._project.infer(owner, scope)
            if isinstance(external, External) and external.name in ("flask.g", "quart.g"):
                return self._carried(node, scope)
        if isinstance(owner, form.Attr) and owner.attr == "state" and self.is_request(owner.value, scope):
            return self._carried(node, scope)
        if isinstance(owner, form.Attr) and owner.attr in ("url", "rel_url") and node.attr == "path":
            return self._input(InputKind.PATH, node, scope) if self.is_request(owner.value, scope) else None
        kind = _OF_REQUESTS.get(node.attr)
        is_of_context = node.attr == "user" and last_name(owner) in _CONTEXTS
        if kind is None or not (is_of_context or self.is_request(owner, scope)):
            return None
        return self._input(kind, node, scope)

    def _carried(self, node: form.Attr, scope: Scope) -> Input | None:
        named = words(node.attr.removesuffix("_id"))
        if not _TENANTS.isdisjoint(named):
            return self._input(InputKind.TENANT, node, scope)
        return self._input(InputKind.USER, node, scope) if not CALLER_WORDS.isdisjoint(named) else None

    def _is_jar(self, node: form.Expr, scope: Scope) -> bool:
        if isinstance(node, form.Name):
            return node.id == "session" and self._named(node, scope) is not None
        if not isinstance(node, form.Attr) or node.attr not in _OF_REQUESTS:
            return False
        return self.is_request(node.value, scope)

    def _item(self, jar: form.Expr, key: form.Expr, node: form.Expr, scope: Scope) -> Input:
        return self._of_jar(_OF_REQUESTS[last_name(jar) or ""], string_value(key, scope, self._project), node, scope)

    def _of_jar(self, kind: InputKind, name: str | None, node: form.Expr, scope: Scope) -> Input:
        if kind is not InputKind.HEADER:
            return self._input(kind, node, scope, name)
        header = (name or "").removeprefix("HTTP_").replace("_", "-").lower()
        if header == "remote-addr":
            return self._input(InputKind.ADDRESS, node, scope)
        if any(word in header for word in _CREDENTIALS) and "csrf" not in header:
            return self._input(InputKind.USER, node, scope, header)
        return self._input(kind, node, scope, header or None)

    def _input(self, kind: InputKind, node: form.Expr | form.Param, scope: Scope, name: str | None = None) -> Input:
        spelled = form.dotted(node) if isinstance(node, form.Name | form.Attr) else name
        text = f"`{spelled}`" if spelled else kind.value
        via = name if isinstance(node, form.Param) else _root(node, scope)
        return Input(kind, Evidence(scope.module.location(node), text), name, via)


def is_scalar(param: form.Param) -> bool:
    """Whether a parameter is declared as a plain value."""
    if param.annotation is None:
        return False
    names = {last_name(n) for n in form.walk(param.annotation) if isinstance(n, form.Name | form.Attr)}
    return bool(names & _SCALARS)


def _root(node: form.Expr, scope: Scope) -> str | None:
    """The parameter that an expression begins with: `request` of `request.headers.get("x")`."""
    while isinstance(node, form.Attr | form.Subscript | form.Call):
        node = node.func if isinstance(node, form.Call) else node.value
    if not isinstance(node, form.Name):
        return None
    bound = scope.lookup(node.id)
    return node.id if any(b.how is How.PARAMETER and b.scope is scope for b in bound) else None
