"""What clients send, as abstract values: request objects' attributes, handlers' parameters, validated models."""

from __future__ import annotations

from typing import TYPE_CHECKING

from assay.scanner.dataflow.sources import RequestSources
from assay.scanner.dataflow.taint.values import (
    FIXED,
    UNKNOWN,
    Source,
    Step,
    Thing,
    Trace,
    Tree,
    Value,
)
from assay.scanner.dataflow.typed import is_typed
from assay.scanner.libraries import Label
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module, Scope
from assay.scanner.linker.values import Instance
from assay.scanner.model.origin import Origin
from assay.scanner.readers.python import form

if TYPE_CHECKING:
    from assay.scanner.dataflow.taint.engine import Engine

_JSON = frozenset({"get_json", "json", "data", "media", "get_media", "payload", "validated_data", "initial_data", "body"})
"""Attributes and methods that may give an object where a text was expected."""
_HOSTS = frozenset({"host", "host_url", "url_root", "base_url", "get_host", "build_absolute_uri"})
_DEEPEST_MODEL = 3


class ClientValues:
    """The sources of one project, as the engine asks for them."""

    def __init__(self, engine: Engine, requests: RequestSources) -> None:
        self._engine = engine
        self._requests = requests

    def client_value(self, scope: Scope, node: form.Node, what: str, label: Label) -> Value:
        """A value that a library model says a client chooses."""
        return _sent(scope.module, node, f"a client sends `{what}`", label)

    def of_attribute(self, node: form.Attr, scope: Scope) -> Value | None:
        """`request.args`, `form.cleaned_data`, ...: None for anything that no client sends."""
        found = self._requests.sent_attribute(node, scope)
        return self._as_value(found, node, node.attr, scope)

    def of_call(self, node: form.Call, scope: Scope) -> Value | None:
        """`request.get_json()` and the like; None for anything that no client sends."""
        if not isinstance(node.func, form.Attr):
            return None
        found = self._requests.sent_by_call(node, scope)
        return self._as_value(found, node, node.func.attr, scope)

    def _as_value(self, found: object, node: form.Node, name: str, scope: Scope) -> Value | None:
        origin, reason = getattr(found, "origin", None), getattr(found, "text", "")
        if origin is Origin.TYPED:
            return Thing("builtins.int")
        if origin is not Origin.REMOTE:
            return None
        label = Label.JSON if name in _JSON else Label.HOST if name in _HOSTS else Label.TEXT
        return _sent(scope.module, node, reason, label)

    def of_parameter(self, function: FunctionSymbol, param: form.Param) -> Value | None:
        """What a handler's parameter holds; None for one that no client fills."""
        found = self._requests.of_parameter(function, param)
        if found is None:
            return None
        if found.origin is Origin.TYPED:
            return FIXED
        module = function.module
        place = form.Name(start=param.start, end=param.end, id=param.name)
        if param.annotation is not None:
            declared = self._engine.project.annotation_class(param.annotation, function.outer)
            if isinstance(declared, ClassSymbol) and self._engine.fields_of(declared):
                return self._model(declared, module, place, param.name, _DEEPEST_MODEL)
        label = Label.SEGMENT if self._requests.is_segment(function, param.name) else _declared_label(param, function)
        return _sent(module, place, f"a client sends `{param.name}`", label)

    def _model(self, cls: ClassSymbol, module: Module, place: form.Node, name: str, depth: int) -> Value:
        """A validated model: its typed fields are, of the others a client chooses the text."""
        entries: list[tuple[str, Value]] = []
        for field, annotation in self._engine.annotations_of(cls).items():
            if is_typed(annotation.node, annotation.scope, self._engine.project):
                entries.append((field, FIXED))
                continue
            inner = self._engine.project.annotation_class(annotation.node, annotation.scope)
            if isinstance(inner, ClassSymbol) and depth:
                entries.append((field, self._model(inner, module, place, f"{name}.{field}", depth - 1)))
            else:
                label = Label.TEXT if "str" in _names(annotation.node) else Label.JSON
                entries.append((field, _sent(module, place, f"a client sends `{name}.{field}`", label)))
        return Tree("object", tuple(entries), None, None, cls)

    def is_request(self, value: Value | None) -> bool:
        return isinstance(value, Instance)


def _names(annotation: form.Expr) -> frozenset[str]:
    return frozenset(n.id for n in form.walk(annotation) if isinstance(n, form.Name))


def _declared_label(param: form.Param, function: FunctionSymbol) -> Label:
    """A parameter declared as text is text."""
    if param.annotation is None:
        return Label.TEXT
    return Label.JSON if _names(param.annotation) & {"dict", "Dict", "Any", "Mapping", "object"} else Label.TEXT


def _sent(module: Module, node: form.Node, text: str, label: Label) -> Value:
    step = Step(module, node, text)
    return Thing("", (Trace(Source(f"{module.path}:{node.start}"), label, steps=step),))


__all__ = ["UNKNOWN", "ClientValues"]
