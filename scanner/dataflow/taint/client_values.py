"""What clients send, as abstract values: request objects' attributes, handlers' parameters, validated models."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.dataflow.strings import Source as TextSource
from assay.scanner.dataflow.taint.patterns import harmless_for
from assay.scanner.dataflow.taint.values import (
    FIXED,
    Source,
    Step,
    Thing,
    Trace,
    Tree,
    Value,
    cleared,
    doubtful,
)
from assay.scanner.dataflow.typed import is_typed
from assay.scanner.framework import Sited
from assay.scanner.libraries import Label, SinkKind
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.origin import Origin
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.engine import Engine

_JSON = frozenset(
    {"get_json", "json", "data", "media", "get_media", "payload", "validated_data", "initial_data", "body"}
)
"""Attributes and methods that may give an object where a text was expected."""
_HOSTS = frozenset({"host", "host_url", "url_root", "base_url", "get_host", "build_absolute_uri"})
HOST_PARTS = frozenset({"netloc", "hostname"})
_HOST_HEADERS = frozenset({"host", "origin", "x-forwarded-host", "referer"})
_OWN_PATHS = frozenset(
    {"path", "path_info", "full_path", "get_full_path", "url", "base_url", "build_absolute_uri", "uri", "referrer"}
)
"""What names the page that was asked for, or the one before: a redirect there leads nobody astray."""
_ONE_LINE = frozenset(
    {
        "COOKIES", "META", "accept_languages", "authorization", "base_url", "build_absolute_uri", "content_type",
        "cookies", "credentials", "get_full_path", "headers", "host", "host_url", "mimetype", "referrer", "scheme",
        "url", "url_root", "user_agent",
    }
)  # fmt: skip
"""What HTTP has on one line: no line break gets there."""
_ONE_LINE_TYPES = frozenset({"EmailStr", "HttpUrl", "AnyUrl", "AnyHttpUrl", "NameEmail"})
_OF_SERVERS = frozenset(
    {"app", "router", "route", "endpoint", "type", "asgi", "http_version", "server", "root_path", "state"}
)
"""What of an ASGI scope the server or the framework says (https://asgi.readthedocs.io/en/stable/specs/www.html)."""
_DEEPEST_MODEL = 3


def names_host(node: form.Expr) -> bool:
    """`request.headers["host"]`, `request.META.get("HTTP_HOST")`, `request.url.netloc`: the host that was asked for, as
    the client has it.
    """
    if isinstance(node, form.Attr) and isinstance(node.value, form.Attr):
        return node.value.attr == "url" and node.attr in HOST_PARTS
    return _header(node) in _HOST_HEADERS


def names_page_before(node: form.Expr) -> bool:
    """`request.META.get("HTTP_REFERER")`: a redirect there leads nobody astray who wasn't on that page."""
    return _header(node) == "referer"


def _header(node: form.Expr) -> str | None:
    """The header that an expression reads, as HTTP spells it in lower case."""
    match node:
        case form.Subscript(value=form.Attr(attr="headers" | "META"), index=form.Const(value=str() as name)):
            return name.lower().removeprefix("http_").replace("_", "-")
        case form.Call(
            func=form.Attr(attr="get", value=form.Attr(attr="headers" | "META")),
            args=[form.Arg(value=form.Const(value=str() as name)), *_],
        ):
            return name.lower().removeprefix("http_").replace("_", "-")
    return None


def is_of_server(node: form.Subscript) -> bool:
    """`request.scope["router"]`: what the server or the framework itself puts into an ASGI scope."""
    match node:
        case form.Subscript(value=form.Attr(attr="scope"), index=form.Const(value=str() as key)):
            return key in _OF_SERVERS
    return False


class ClientValues:
    """The sources of one project, as the engine asks for them."""

    def __init__(self, engine: Engine, requests: RequestSources) -> None:
        self._engine = engine
        self._requests = requests

    def client_value(self, scope: Scope, node: form.Node, what: str, label: Label) -> Value:
        """A value that a library model says a client chooses."""
        models = self._engine.models
        how = "is read back" if label is Label.STORED else "comes from a client"
        found = _sent(scope.module, node, f"`{what}` {how}", label, what if models.is_typed(what) else "")
        kinds = models.sanitizers.get(what)
        found = _on_one_line(found) if what.rpartition(".")[2] in _ONE_LINE else found
        if label is Label.STORED:
            return Thing("", doubtful(found.traces, "a client may have written it before"))
        return cleared(found, kinds) if kinds is not None else found

    def of_attribute(self, node: form.Attr, scope: Scope) -> Value | None:
        """`request.args`, `form.cleaned_data`, ...: None for anything that no client sends."""
        found = self._requests.sent_attribute(node, scope)
        value = self._as_value(found, node, node.attr, scope)
        if isinstance(value, Thing) and value.traces:
            full = self._full_name(node, scope)
            kinds = self._engine.models.sanitizers.get(full)
            if self._engine.models.is_typed(full):
                value = Thing(full, value.traces)
            return cleared(value, kinds) if kinds is not None else value
        return value

    def of_call(self, node: form.Call, scope: Scope) -> Value | None:
        """`request.get_json()` and the like; None for anything that no client sends."""
        if not isinstance(node.func, form.Attr):
            return None
        found = self._requests.sent_by_call(node, scope)
        return self._as_value(found, node.func, node.func.attr, scope)

    def _full_name(self, node: form.Attr, scope: Scope) -> str:
        """What the models call an attribute of a library's object; empty for others."""
        owner = self._engine.project.infer(node.value, scope)
        name = owner.type_name if isinstance(owner, Instance) else owner.name if isinstance(owner, External) else ""
        return self._engine.models.member(name, node.attr) if name else ""

    def _as_value(self, found: object, node: form.Attr, name: str, scope: Scope) -> Value | None:
        origin, reason = getattr(found, "origin", None), getattr(found, "text", "")
        if origin is Origin.TYPED:
            return Thing("builtins.int")
        if origin is not Origin.REMOTE:
            return None
        label = self._engine.models.sources.get(self._full_name(node, scope)) or (
            Label.JSON if name in _JSON else Label.HOST if name in _HOSTS else Label.TEXT)  # fmt: skip
        value = _sent(scope.module, node, reason, label)
        value = _on_one_line(value) if name in _ONE_LINE else value
        return cleared(value, frozenset({SinkKind.REDIRECT})) if name in _OWN_PATHS else value

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Value | None:
        """What a handler's parameter holds; None for one that no client fills."""
        return self._parameter(self._requests.of_parameter(function, param), function, param)

    def of_dependency(self, function: FunctionSymbol, param: form.Param) -> Value | None:
        """What a dependency's parameter holds, which the framework fills as it does a handler's."""
        found = self._requests.of_parameter(function, param) or self._requests.of_dependency(function, param)
        return self._parameter(found, function, param)

    def of_item(self, node: form.Subscript, scope: Scope) -> Value | None:
        """An item of a form's or a serializer's clean data whose field converts it."""
        return FIXED if self._requests.sent_item(node, scope) is not None else None

    def _parameter(self, found: TextSource | None, function: FunctionSymbol, param: form.Param) -> Value | None:
        if found is None:
            return None
        if found.origin is Origin.TYPED:
            return FIXED
        if found.origin is not Origin.REMOTE:
            return self._validated(function, param)
        return self._free(function, param)

    def _validated(self, function: FunctionSymbol, param: form.Param) -> Value:
        """A parameter whose declaration has a pattern or a validator."""
        kinds = self._allowed_by_pattern(param.default) | self._allowed_by_pattern(param.annotation)
        value = cleared(self._free(function, param), kinds)
        if kinds or not isinstance(value, Thing):
            return value
        return Thing(value.type_name, doubtful(value.traces, "its declaration validates it"))

    def _allowed_by_pattern(self, declared: form.Expr | None) -> frozenset[SinkKind]:
        for call in form.walk(declared) if declared is not None else ():
            if isinstance(call, form.Call):
                pattern = call.keyword("pattern") or call.keyword("regex")
                if isinstance(pattern, form.Const) and isinstance(pattern.value, str):
                    return harmless_for(pattern.value, whole=False)
        return frozenset()

    def _free(self, function: FunctionSymbol, param: form.Param) -> Value:
        module = function.module
        place = form.Name(start=param.start, end=param.end, id=param.name)
        if param.annotation is not None:
            declared = self._engine.project.annotation_class(param.annotation, function.outer)
            if isinstance(declared, ClassSymbol) and self._engine.fields_of(declared):
                return self._model(declared, module, place, param.name, _DEEPEST_MODEL)
        label = Label.SEGMENT if self._requests.is_segment(function, param.name) else _declared_label(param)
        return _sent(module, place, f"a client sends `{param.name}`", label)

    def _field(self, annotation: Sited, module: Module, place: form.Node, name: str, depth: int) -> Value:
        """A field of a validated model that isn't typed: a model itself, a list of them, or text."""
        project = self._engine.project
        element = project.annotation_element(annotation.node, annotation.scope)
        inner = project.annotation_class(element or annotation.node, annotation.scope)
        if isinstance(inner, ClassSymbol) and depth:
            found = self._model(inner, module, place, name, depth - 1)
            return Tree("list", (), found) if element is not None else found
        names = _names(annotation.node)
        sent = _sent(module, place, f"a client sends `{name}`", Label.TEXT if names & _TEXTS else Label.JSON)
        return _on_one_line(sent) if names & _ONE_LINE_TYPES else sent

    def _model(self, cls: ClassSymbol, module: Module, place: form.Node, name: str, depth: int) -> Value:
        """A validated model: its typed fields are, of the others a client chooses the text."""
        entries: list[tuple[str, Value]] = []
        for field, annotation in self._engine.annotations_of(cls).items():
            if is_typed(annotation.node, annotation.scope, self._engine.project):
                entries.append((field, FIXED))
                continue
            entries.append((field, self._field(annotation, module, place, f"{name}.{field}", depth)))
        return Tree("object", tuple(entries), None, None, cls)


def _on_one_line(value: Thing) -> Thing:
    traces = (replace(t, lacks=t.lacks | {"\n", "\r"}) for t in value.traces)
    return replace(value, traces=tuple(traces))


_TEXTS = _ONE_LINE_TYPES | {"str"}


def _names(annotation: form.Expr) -> frozenset[str]:
    return frozenset(n.id for n in form.walk(annotation) if isinstance(n, form.Name))


def _declared_label(param: form.Param) -> Label:
    """A parameter declared as text is text."""
    if param.annotation is None:
        return Label.TEXT
    return Label.JSON if _names(param.annotation) & {"dict", "Dict", "Any", "Mapping", "object"} else Label.TEXT


def _sent(module: Module, node: form.Node, text: str, label: Label, type_name: str = "") -> Thing:
    step = Step(module, node, text)
    return Thing(type_name, (Trace(Source(f"{module.path}:{node.start}"), label, steps=step),))
