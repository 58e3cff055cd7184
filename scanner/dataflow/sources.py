"""Which expressions bring a value into a function, and from where: a client, the operator, the database, metadata."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.reaching import State
from assay.scanner.dataflow.strings import Source
from assay.scanner.dataflow.typed import is_checked, is_typed
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.origin import Origin
from assay.scanner.readers.python import form

_REQUEST_ATTRIBUTES = frozenset(
    {
        "COOKIES", "FILES", "GET", "META", "POST", "access_route", "args", "arguments", "authorization", "base_url",
        "body", "body_arguments", "content", "content_type", "cookies", "data", "environ", "files", "form", "full_path",
        "headers", "host", "host_url", "json", "match_info", "media", "params", "path", "path_info", "path_params",
        "query", "query_args", "query_arguments", "query_params", "query_string", "raw_path", "referrer", "rel_url",
        "scope", "stream", "uri", "url", "url_root", "user_agent", "values", "view_args",
    }
)  # fmt: skip
"""Of Flask, Django, DRF, Starlette, aiohttp, Sanic, Litestar, Falcon and Tornado requests: what the client decides."""
_REQUEST_METHODS = frozenset(
    {
        "body", "build_absolute_uri", "form", "get_args", "get_data", "get_full_path", "get_header", "get_host",
        "get_json", "get_media", "get_param", "get_param_as_list", "get_query_args", "iter_bytes", "iter_json",
        "iter_text", "json", "multipart", "post", "read", "receive_bytes", "receive_json", "receive_text", "stream",
        "text",
    }
)  # fmt: skip
_TYPED_METHODS = frozenset({"get_param_as_int", "get_param_as_float", "get_param_as_bool", "get_param_as_uuid"})
_TORNADO_METHODS = frozenset(
    {
        "get_argument", "get_arguments", "get_body_argument", "get_body_arguments", "get_cookie", "get_query_argument",
        "get_query_arguments",
    }
)  # fmt: skip
_TORNADO = "tornado.web.RequestHandler"
_REQUEST_NAMES = frozenset({"request", "req", "websocket"})
_REQUEST_PACKAGES = frozenset(
    {
        "aiohttp", "django", "falcon", "fastapi", "flask", "litestar", "ninja", "quart", "rest_framework", "sanic",
        "starlette", "tornado", "werkzeug",
    }
)  # fmt: skip
_PARSERS = frozenset(
    {
        "flask_restful.reqparse.RequestParser.parse_args", "flask_restx.reqparse.RequestParser.parse_args",
        "webargs.aiohttpparser.parser.parse", "webargs.flaskparser.parser.parse",
    }
)  # fmt: skip
_DECLARED = frozenset({"Query", "Path", "Body", "Form", "File", "Header", "Cookie"})
_INJECTED = frozenset({"Depends", "Security", "Provide", "Inject", "FromDishka"})
_BINDS_BY_SIGNATURE = frozenset({"fastapi", "litestar", "ninja", "django-ninja", "connexion"})
_ANSWERS_HTML = frozenset({"flask", "quart", "bottle"})
"""Frameworks that send a text which a handler returns as HTML."""
_FREE_TEXT = frozenset(
    {
        "builtins.bytes", "builtins.dict", "builtins.list", "builtins.object", "builtins.set", "builtins.str",
        "fastapi.UploadFile", "fastapi.security.OAuth2PasswordRequestForm", "pydantic.AnyUrl", "pydantic.EmailStr",
        "pydantic.HttpUrl", "starlette.datastructures.UploadFile", "typing.Any", "typing.Dict", "typing.List",
        "typing.Mapping",
    }
)  # fmt: skip
_MODELS = ("pydantic.BaseModel", "sqlmodel.SQLModel", "ninja.Schema", "msgspec.Struct")
_TYPED_CONVERTERS = frozenset({"int", "float", "uuid", "decimal", "UUID", "integer"})
_CONVERTERS = _TYPED_CONVERTERS | {"str", "string", "path", "slug", "alpha", "ymd", "strorempty", "ext", "number"}
_DIGITS = re.compile(r"(\\d|\[0-9\]|\[\\d\]|\[0-9a-f-]*\])(\+|\*|\{[\d,]+\})?")
_PATH_PARAMETER = re.compile(
    r"<(?:(?P<before>\w+)(?:\([^)]*\))?:)?(?P<angle>\w+)(?::(?P<after>\w+))?>"
    r"|\{(?P<brace>\w+)(?::(?P<spec>[^{}]*(?:\{[^{}]*\}[^{}]*)*))?\}"
)
_NAMED_GROUP = re.compile(r"\(\?P<(?P<name>\w+)>(?P<pattern>[^()]*)\)")
_TYPED_FIELDS = frozenset(
    {
        "BooleanField", "ChoiceField", "DateField", "DateTimeField", "DecimalField", "DurationField", "FloatField",
        "IntegerField", "IntegerRangeField", "ModelChoiceField", "NullBooleanField", "SelectField", "TimeField",
        "TypedChoiceField", "UUIDField",
    }
)  # fmt: skip
_OPERATOR_NAMES = frozenset(
    {
        "argparse.ArgumentParser.parse_args", "argparse.ArgumentParser.parse_known_args", "builtins.input",
        "click.prompt", "flask.current_app.config", "getpass.getpass", "os.environ", "os.environ.get", "os.environb",
        "os.getenv", "sys.argv", "sys.stdin",
    }
)  # fmt: skip
_OPERATOR_RECEIVERS = frozenset({"settings", "config", "conf", "cfg"})
_READS = frozenset(
    {
        "fetchall", "fetchmany", "fetchone", "fetchrow", "fetchval", "mappings", "scalar", "scalar_one",
        "scalar_one_or_none", "scalars",
    }
)  # fmt: skip
_METADATA_ATTRIBUTES = frozenset({"__tablename__", "db_table", "attname", "column_name", "sorted_tables"})
_METADATA_METHODS = frozenset(
    {
        "get_attname_column", "get_columns", "get_field", "get_fields", "get_table_list", "get_table_names",
        "get_view_names", "qn", "table_names",
    }
)  # fmt: skip
_TABLE_WORDS = frozenset({"table", "column", "col"})
_COMPILERS = frozenset({"sql_with_params", "as_sql", "compile", "get_compiler", "mogrify"})

_SENT_ATTRIBUTES = _REQUEST_ATTRIBUTES | {"cleaned_data", "validated_data", "initial_data", "kwargs", "payload"}
_SENT_METHODS = _REQUEST_METHODS | _TYPED_METHODS | _TORNADO_METHODS | {"get", "getlist", "pop", "parse_args", "parse"}


@dataclass(frozen=True, slots=True)
class Handler:
    """A function that answers requests: the parameters a client fills, and those of which it can't choose the text.

    `segments` are those that hold one segment of a path, without a slash. `answers_html` says that a text which it
    returns is sent as HTML.
    """

    function: FunctionSymbol
    remote: frozenset[str]
    typed: frozenset[str]
    segments: frozenset[str] = frozenset()
    answers_html: bool = False


def handlers_of(routes: Iterable[Route], project: Project) -> dict[FunctionSymbol, Handler]:
    """The handlers of a route table; a parameter typed on one route of several counts as free text."""
    found: dict[FunctionSymbol, Handler] = {}
    for route in routes:
        if route.handler is None:
            continue
        handler = _handler(route, route.handler, project)
        known = found.get(route.handler)
        if known is not None:
            remote = known.remote | handler.remote
            segments = (known.segments | handler.segments) - (known.remote - known.segments)
            segments -= handler.remote - handler.segments
            typed = (known.typed | handler.typed) - remote
            html = known.answers_html or handler.answers_html
            handler = Handler(route.handler, remote, typed, segments, html)
        found[route.handler] = handler
    return found


def resolvers_of(project: Project) -> dict[FunctionSymbol, Handler]:
    """Functions that answer fields of a GraphQL schema: clients fill what they take besides `self`, root and `info`."""
    found: dict[FunctionSymbol, Handler] = {}
    for cls in project.classes:
        if project.is_subclass(cls, *_GRAPHENE):
            found.update((m, _resolver(m)) for n, m in cls.methods.items() if n == "mutate" or n.startswith("resolve_"))
    for function in project.functions:
        names = (form.dotted(d.func if isinstance(d, form.Call) else d) or "" for d in function.decorators)
        if any(name in _STRAWBERRY for name in names):
            found[function] = _resolver(function)
    return found


def _resolver(function: FunctionSymbol) -> Handler:
    filled = [p.name for p in function.parameters if p.name not in ("self", "root", "info", "parent", "_")]
    return Handler(function, frozenset(filled), frozenset())


_GRAPHENE = ("graphene.ObjectType", "graphene.Mutation", "graphene.relay.ClientIDMutation")
_STRAWBERRY = frozenset({"strawberry.field", "strawberry.mutation", "strawberry.subscription"})


def _handler(route: Route, function: FunctionSymbol, project: Project) -> Handler:
    in_path = path_parameters(route.path)
    remote: set[str] = set()
    typed: set[str] = set()
    for param in function.parameters:
        if param.name in in_path:
            (typed if in_path[param.name] else remote).add(param.name)
        elif route.framework.lower() in _BINDS_BY_SIGNATURE and _is_bound(param, function.outer, project):
            remote.add(param.name)
    segments = frozenset(name for name in remote if name in in_path and not _takes_slashes(route.path, name))
    answers_html = route.framework.lower() in _ANSWERS_HTML
    return Handler(function, frozenset(remote), frozenset(typed), segments, answers_html)


def _takes_slashes(path: str, name: str) -> bool:
    """Whether a parameter of a route's path may hold several segments."""
    escaped = re.escape(name)
    pattern = (
        rf"<(?:path|re(?:gex)?)[^>]*:{escaped}>|<{escaped}:path>|{{{escaped}:(?:path|[^{{}}]*[./])|P<{escaped}>\.[*+]"
    )
    return re.search(pattern, path) is not None


def path_parameters(path: str) -> dict[str, bool]:
    """The parameters of a route's path, in any framework's syntax, and whether each takes no free text."""
    found: dict[str, bool] = {}
    for match in _PATH_PARAMETER.finditer(path):
        name = match["angle"] or match["brace"]
        spec = match["spec"] or ""
        converter = match["before"] or match["after"] or spec
        if match["before"] and match["before"] not in _CONVERTERS and match["angle"] in _CONVERTERS:
            name, converter = match["before"], match["angle"]  # Sanic's `<order_id:int>`
        found[name] = converter in _TYPED_CONVERTERS or _DIGITS.fullmatch(spec) is not None
    for match in _NAMED_GROUP.finditer(path):
        found[match["name"]] = _DIGITS.fullmatch(match["pattern"]) is not None
    return found


def _is_bound(param: form.Param, scope: Scope, project: Project) -> bool:
    """Whether a framework that reads signatures fills the parameter from the request."""
    if any(injection(node, scope, project) is not None for node in (param.default, param.annotation)):
        return False
    if param.annotation is None:
        return True
    if isinstance(project.infer(param.annotation, scope), Instance):
        return False  # an alias of `Annotated[..., Depends(...)]`
    if project.annotation_element(param.annotation, scope) is not None:
        return True
    declared = project.annotation_class(param.annotation, scope)
    if isinstance(declared, ClassSymbol):
        return project.is_subclass(declared, *_MODELS)
    return isinstance(declared, External) and declared.name in _FREE_TEXT


def injection(node: form.Expr | None, scope: Scope, project: Project, depth: int = 4) -> Sited | None:
    """The `Depends(...)` in a parameter's default or annotation, through aliases of `Annotated[..., Depends(...)]`."""
    for inner in form.walk(node) if node is not None and depth else ():
        if isinstance(inner, form.Call) and last_name(inner.func) in _INJECTED:
            return Sited(inner, scope)
        if isinstance(inner, form.Name):
            aliased = (
                injection(value, around, project, depth - 1) for value, around in _aliases(inner, scope, project)
            )
            found = next((a for a in aliased if a is not None), None)
            if found is not None:
                return found
    return None


def _aliases(name: form.Name, scope: Scope, project: Project) -> list[tuple[form.Expr, Scope]]:
    return [d for d in definitions(name, scope, project) if isinstance(d[0], form.Subscript)]


def _names_call(node: form.Expr | None, names: frozenset[str]) -> bool:
    return node is not None and any(isinstance(n, form.Call) and last_name(n.func) in names for n in form.walk(node))


class RequestSources:
    """The sources of one service: its handlers' parameters, and what web frameworks' request objects hand out."""

    def __init__(self, project: Project, handlers: Mapping[FunctionSymbol, Handler]) -> None:
        self._project = project
        self._handlers = handlers

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Source | None:
        """A parameter that a client fills; None for one that the function's callers do."""
        handler = self._handlers.get(function)
        if handler is not None and param.name in handler.typed:
            return Source(Origin.TYPED, f"the route converts `{param.name}`")
        if self._is_declared(param, function.outer) or (handler is not None and param.name in handler.remote):
            return self._typed_or_remote(param, function)
        return None

    def _typed_or_remote(self, param: form.Param, function: FunctionSymbol) -> Source | None:
        if is_typed(param.annotation, function.outer, self._project):
            return Source(Origin.TYPED, f"`{param.name}` is typed")
        declared = (param.annotation, param.default)
        if any(is_checked(node, function.outer, self._project) for node in declared):
            return Source(Origin.UNKNOWN, f"a client sends `{param.name}`, which is validated")
        return Source(Origin.REMOTE, f"a client sends `{param.name}`")

    def _is_declared(self, param: form.Param, scope: Scope) -> bool:
        """`q: str = Query(...)` takes its value from the request wherever the function is injected."""
        for node in (param.default, param.annotation):
            if node is None or not _names_call(node, _DECLARED):
                continue
            for call in form.walk(node):
                name = self._project.callee_name(call, scope) if isinstance(call, form.Call) else None
                if name is not None and name.startswith("fastapi.") and last_part(name) in _DECLARED:
                    return True
        return False

    def of_dependency(self, function: FunctionSymbol, param: form.Param) -> Source | None:
        """A parameter of a dependency, which is filled from the request as a handler's is."""
        if is_typed(param.annotation, function.outer, self._project):
            return Source(Origin.TYPED, f"`{param.name}` is typed")
        return self._typed_or_remote(param, function) if _is_bound(param, function.outer, self._project) else None

    def sent_item(self, node: form.Subscript, scope: Scope) -> Source | None:
        """`form.cleaned_data["page"]`: what the declared field converts to; None where it doesn't."""
        if not isinstance(node.value, form.Attr):
            return None
        return self._field_value(node.value, node.value.attr, node.index, scope)

    def is_segment(self, function: FunctionSymbol, name: str) -> bool:
        """Whether a handler's parameter is one segment of the path."""
        handler = self._handlers.get(function)
        return handler is not None and name in handler.segments

    def sent_attribute(self, node: form.Attr, scope: Scope) -> Source | None:
        """What an attribute of a request or a form brings in; None for any other attribute."""
        if node.attr not in _SENT_ATTRIBUTES and not (node.attr == "data" and isinstance(node.value, form.Attr)):
            return None
        found = self._attribute(node, scope)
        return found if found is not None and found.origin in (Origin.REMOTE, Origin.TYPED) else None

    def sent_by_call(self, node: form.Call, scope: Scope) -> Source | None:
        """What a method of a request or a form brings in; None for any other call."""
        if not isinstance(node.func, form.Attr) or node.func.attr not in _SENT_METHODS:
            return None
        found = self._call(node, scope)
        return found if found is not None and found.origin in (Origin.REMOTE, Origin.TYPED) else None

    def of_expression(self, node: form.Expr, state: State) -> Source | None:
        """What an attribute, call or subscript brings in; None for what is made of other values."""
        scope = state.scope
        match node:
            case form.Attr():
                return self._attribute(node, scope)
            case form.Call():
                return self._call(node, scope)
            case form.Subscript(value=form.Attr(attr=attr) as base, index=index):
                return self._field_value(base, attr, index, scope)
            case form.Name():
                name = self._external(node, scope)
                return Source(Origin.OPERATOR, "the operator sets it") if name in _OPERATOR_NAMES else None
        return None

    def _attribute(self, node: form.Attr, scope: Scope) -> Source | None:
        if node.attr in _REQUEST_ATTRIBUTES and self.is_request(node.value, scope):
            return Source(Origin.REMOTE, f"a client sends `{_spelled(node)}`")
        if node.attr in ("cleaned_data", "validated_data", "initial_data"):
            return Source(Origin.REMOTE, f"a client sends `{_spelled(node)}`")
        if node.attr == "kwargs" and self._is_view(node.value, scope):
            return Source(Origin.REMOTE, "the URL's parameters are the client's")
        if node.attr == "data" and isinstance(node.value, form.Attr) and (found := self._form_field(node.value, scope)):
            return found
        if node.attr == "payload" and self._external(node, scope) == "flask_restx.Namespace.payload":
            return Source(Origin.REMOTE, "a client sends the payload")
        return self._declared_name(node) or self._configured(node, scope)

    def _call(self, node: form.Call, scope: Scope) -> Source | None:
        func = node.func
        name = self._external(func, scope)
        if name in _OPERATOR_NAMES:
            return Source(Origin.OPERATOR, "the operator sets it")
        if name in _PARSERS:
            return Source(Origin.REMOTE, "a client sends the parsed arguments")
        if not isinstance(func, form.Attr):
            return None
        if func.attr in ("get", "getlist", "pop") and isinstance(func.value, form.Attr) and node.args:
            field = self._field_value(func.value, func.value.attr, node.args[0].value, scope)
            if field is not None:
                return field
        if self._converts(node, scope) and isinstance(func.value, form.Attr) and self._attribute(func.value, scope):
            return Source(Origin.TYPED, "it is converted where it is read")
        if func.attr in _REQUEST_METHODS and self.is_request(func.value, scope):
            return Source(Origin.REMOTE, f"a client sends `{_spelled(func)}()`")
        if func.attr in _TYPED_METHODS and self.is_request(func.value, scope):
            return Source(Origin.TYPED, "it is converted where it is read")
        if func.attr in _TORNADO_METHODS and self._is_a(func.value, scope, _TORNADO):
            return Source(Origin.REMOTE, f"a client sends `{_spelled(func)}()`")
        return _told_by_name(func.attr, name)

    # --- requests and forms ---

    def is_request(self, node: form.Expr, scope: Scope) -> bool:
        """Whether it is the request that a web framework hands to its handlers."""
        value = self._project.infer(node, scope)
        if isinstance(value, Instance | External):
            name = value.type_name if isinstance(value, Instance) else value.name
            is_known = name.split(".", 1)[0] in _REQUEST_PACKAGES
            if is_known and last_part(name).lower().endswith(("request", "websocket", "httpconnection")):
                return True
        if isinstance(value, Instance) and value.cls is not None:
            bases = self._project.base_names(value.cls)
            if any(b.split(".", 1)[0] in _REQUEST_PACKAGES for b in bases) and value.cls.name.endswith("Request"):
                return True
        is_unresolved = value is None or (isinstance(value, External) and value.name.endswith(".request"))
        return is_unresolved and last_name(node) in _REQUEST_NAMES

    def _is_view(self, node: form.Expr, scope: Scope) -> bool:
        value = self._project.infer(node, scope)
        if not isinstance(value, Instance) or value.cls is None:
            return False
        return any(b.startswith(("django.views", "rest_framework.")) for b in self._project.base_names(value.cls))

    def _is_a(self, node: form.Expr, scope: Scope, base: str) -> bool:
        value = self._project.infer(node, scope)
        return isinstance(value, Instance) and value.cls is not None and self._project.is_subclass(value.cls, base)

    def _converts(self, node: form.Call, scope: Scope) -> bool:
        """Whether it reads like `request.args.get("page", type=int)`."""
        given = node.keyword("type")
        return given is not None and self._external(given, scope) in (
            "builtins.int", "builtins.float", "builtins.bool", "uuid.UUID", "decimal.Decimal",
        )  # fmt: skip

    def _field_value(self, base: form.Attr, attr: str, key: form.Expr, scope: Scope) -> Source | None:
        """`form.cleaned_data["page"]`: what the declared field converts to."""
        if attr not in ("cleaned_data", "validated_data") or not isinstance(key, form.Const):
            return None
        owner = self._project.infer(base.value, scope)
        if not isinstance(owner, Instance) or owner.cls is None:
            return None
        return self._typed_field(owner.cls, str(key.value))

    def _form_field(self, node: form.Attr, scope: Scope) -> Source | None:
        """`form.name.data` of WTForms."""
        owner = self._project.infer(node.value, scope)
        if not isinstance(owner, Instance) or owner.cls is None:
            return None
        if not any(b.split(".", 1)[0] in ("wtforms", "flask_wtf") for b in self._project.base_names(owner.cls)):
            return None
        return self._typed_field(owner.cls, node.attr) or Source(Origin.REMOTE, f"a client sends `{_spelled(node)}`")

    def _typed_field(self, cls: ClassSymbol, name: str) -> Source | None:
        declared = self._project.class_attribute(cls, name)
        if declared is None or not isinstance(declared[0], form.Call):
            return None
        kind = self._project.infer(declared[0].func, declared[1])
        bases = self._project.base_names(kind) if isinstance(kind, ClassSymbol) else frozenset()
        names = {last_name(declared[0].func), *(last_part(base) for base in bases)}
        return Source(Origin.TYPED, f"the form converts `{name}`") if names & _TYPED_FIELDS else None

    # --- configuration and metadata ---

    def _configured(self, node: form.Attr, scope: Scope) -> Source | None:
        name = self._external(node, scope) or ""
        if name in _OPERATOR_NAMES or name.startswith("django.conf.settings."):
            return Source(Origin.OPERATOR, "the operator sets it")
        value = self._project.infer(node.value, scope)
        is_settings = last_name(node.value) in _OPERATOR_RECEIVERS and (
            value is None or isinstance(value, Instance | External)
        )
        is_app_config = node.attr == "config" and last_name(node.value) in ("app", "current_app")
        return Source(Origin.OPERATOR, "the operator sets it") if is_settings or is_app_config else None

    def _declared_name(self, node: form.Attr) -> Source | None:
        told = Source(Origin.METADATA, "a name from the ORM's metadata")
        if node.attr in _METADATA_ATTRIBUTES:
            return told
        dotted = form.dotted(node) or ""
        if "._meta." in dotted or ".__table__." in dotted or "__mapper__" in dotted:
            return told
        receiver = (last_name(node.value) or "").lower()
        if node.attr in ("name", "key", "fullname", "schema") and receiver.rsplit("_", 1)[-1] in _TABLE_WORDS:
            return told
        return None

    def _external(self, node: form.Expr, scope: Scope) -> str | None:
        value = self._project.infer(node, scope)
        return value.name if isinstance(value, External) else None


def _told_by_name(method: str, name: str | None) -> Source | None:
    """Methods that bear the same name in every library that has them."""
    if method in _COMPILERS and not (name or "").startswith("re."):
        return Source(Origin.COMPILED, "the library compiled this text")
    if method in _METADATA_METHODS:
        return Source(Origin.METADATA, "names from the database's or the ORM's own metadata")
    if method in _READS:
        return Source(Origin.STORED, "it is read from the database")
    return None


def _spelled(node: form.Attr) -> str:
    return form.dotted(node) or node.attr
