"""OpenAPI and Swagger documents: the operations that they promise, and where each is written.

Field names: OpenAPI Specification 3.1 and Swagger 2.0 (https://spec.openapis.org).
"""

from __future__ import annotations

import json
import re
from bisect import bisect_right
from collections.abc import Iterator, Mapping
from typing import TypeAlias
from urllib.parse import unquote, urlsplit

import msgspec

from assay.scanner.diagnostics import Reason
from assay.scanner.readers import yaml_documents
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

METHODS = ("get", "put", "post", "delete", "options", "head", "patch", "trace", "query")
_DEEPEST = 12
"""References, and schemas made of schemas, that are followed."""
_CHECKERS = ("x-bearerInfoFunc", "x-apikeyInfoFunc", "x-basicInfoFunc", "x-tokenInfoFunc", "x-tokenInfoUrl")
_CONTROLLERS = ("x-openapi-router-controller", "x-swagger-router-controller")
_KEY = re.compile(r'\s*("(?:[^"\\]|\\.)*")\s*:\s*')
_SEPARATOR = re.compile(r"\s*,")
_HOLE = re.compile(rb"\{\{[^{}\n]*\}\}")

Tree: TypeAlias = "bool | int | float | str | list[Tree] | dict[str, Tree] | None"


class Property(msgspec.Struct, frozen=True, array_like=True):
    """A property of an object; `element` is the component or type of what an array holds."""

    name: str
    type: str | None
    element: str | None = None


class SchemaUse(msgspec.Struct, frozen=True, array_like=True):
    """A schema where it is used: `name` is its component's, None where it is written in place."""

    name: str | None
    type: str | None
    element: str | None = None
    """Of an array: the component or type of what it holds."""
    properties: tuple[Property, ...] = ()


class Parameter(msgspec.Struct, frozen=True, array_like=True):
    """`place` is path, query, header or cookie."""

    name: str
    place: str
    required: bool
    type: str | None


class Response(msgspec.Struct, frozen=True, array_like=True):
    """`status` is as written: a number, `4XX` or `default`."""

    status: str
    schema: SchemaUse | None


class Operation(msgspec.Struct, frozen=True, array_like=True):
    """A method of a path. `security` holds the alternatives, each the schemes that it takes together; an empty one lets
    everybody in. None stands for the document's own.
    """

    method: str
    path: str
    span: Span
    operation_id: str | None
    controller: str | None
    """The module that its function is in, where an extension says so."""
    tags: tuple[str, ...]
    summary: str | None
    deprecated: bool
    security: tuple[tuple[str, ...], ...] | None
    parameters: tuple[Parameter, ...]
    request: SchemaUse | None
    responses: tuple[Response, ...]


class SecurityScheme(msgspec.Struct, frozen=True, array_like=True):
    """A way to say who is asking; `checker` is the function that an extension names to verify it."""

    name: str
    type: str
    checker: str | None


class OpenApiFacts(msgspec.Struct, frozen=True, array_like=True):
    """One document. `version` is None for a file that is none after all; `base_paths` come from servers or basePath."""

    version: str | None
    title: str | None
    base_paths: tuple[str, ...]
    security: tuple[tuple[str, ...], ...]
    schemes: tuple[SecurityScheme, ...]
    operations: tuple[Operation, ...]

    def security_of(self, operation: Operation) -> tuple[tuple[str, ...], ...]:
        """The alternatives that let a caller in; empty where everybody may come."""
        return self.security if operation.security is None else operation.security


def read(path: str, data: bytes) -> OpenApiFacts:
    """The document's operations, in the order in which they are written.

    Raises ReadProblem as `yaml_documents` does.
    """
    text = decode(data)
    root, spans = _json(text) if path.endswith(".json") else (None, {})
    if root is None:
        root, spans = _yaml(path, data)
    return _Document(root).facts(spans)


# --- the tree, and where its operations are ---

_Spans: TypeAlias = dict[tuple[str, str], Span]


def _yaml(path: str, data: bytes) -> tuple[dict[str, Tree], _Spans]:
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem as problem:
        if problem.reason is not Reason.TEMPLATE or b"{%" in data:
            raise
        # Connexion fills in arguments with Jinja: what is around `{{ title }}` is YAML all the same.
        documents = yaml_documents.read(path, _HOLE.sub(lambda hole: b"_" * len(hole[0]), data))
    root = documents[0] if documents else None
    if not isinstance(root, yaml_documents.Mapping):
        return {}, {}
    items = root.mapping("paths")
    spans = {
        (item.key.text, method.key.text): method.key.span
        for item in (items.entries if items is not None else ())
        if isinstance(item.value, yaml_documents.Mapping)
        for method in item.value.entries
    }
    return _mapping(root), spans


def _mapping(node: yaml_documents.Mapping) -> dict[str, Tree]:
    return {entry.key.text: _plain(entry.value) for entry in node.entries}


def _plain(node: yaml_documents.Node) -> Tree:
    match node:
        case yaml_documents.Mapping():
            return _mapping(node)
        case yaml_documents.Sequence(items=items):
            return [_plain(item) for item in items]
    if node.is_null:
        return None
    return node.text if node.quoted or node.boolean is None else node.boolean


def _json(text: str) -> tuple[dict[str, Tree] | None, _Spans]:
    """As JSON, which is a hundred times faster than as YAML; None where it is no JSON."""
    decoder = json.JSONDecoder(strict=False)
    try:
        root: Tree = decoder.decode(text)
    except json.JSONDecodeError:
        return None, {}
    if not isinstance(root, dict):
        return {}, {}
    lines = [0, *(m.end() for m in re.finditer("\n", text))]
    spans: _Spans = {}
    paths = [value for key, _, value in _entries(text, text.index("{"), decoder) if key == "paths"]
    for path, _, item in _entries(text, paths[-1], decoder) if paths else ():
        for method, start, _ in _entries(text, item, decoder):
            line = bisect_right(lines, start)
            column = start - lines[line - 1] + 1
            spans[path, method] = Span(line, column, line, column + len(method) + 2)
    return root, spans


def _entries(text: str, at: int, decoder: json.JSONDecoder) -> Iterator[tuple[str, int, int]]:
    """The keys of the object that begins there, each with its own offset and its value's; none for anything else."""
    if text[at] != "{":
        return
    key = _KEY.match(text, at + 1)
    while key is not None:
        yield json.loads(key[1], strict=False), key.start(1), key.end()
        _, end = decoder.raw_decode(text, key.end())
        separator = _SEPARATOR.match(text, end)
        key = _KEY.match(text, separator.end()) if separator is not None else None


# --- what the tree says ---


class _Document:
    def __init__(self, root: dict[str, Tree]) -> None:
        self._root = root

    def facts(self, spans: _Spans) -> OpenApiFacts:
        version = _text(self._root, "openapi") or _text(self._root, "swagger")
        schemes = _dict(_dict(self._root, "components"), "securitySchemes") or _dict(self._root, "securityDefinitions")
        return OpenApiFacts(
            version=version,
            title=_text(_dict(self._root, "info"), "title"),
            base_paths=self._base_paths(),
            security=_security(self._root) or (),
            schemes=tuple(self._scheme(name, scheme) for name, scheme in schemes.items()),
            operations=tuple(self._operations(spans)) if version is not None else (),
        )

    def _base_paths(self) -> tuple[str, ...]:
        base = _text(self._root, "basePath")
        if base is not None:
            return (base.rstrip("/"),)
        found = []
        for server in _dicts(self._root, "servers"):
            url = _text(server, "url") or ""
            for name, variable in _dict(server, "variables").items():
                default = _text(variable, "default") if isinstance(variable, dict) else None
                url = url.replace(f"{{{name}}}", default or "")
            found.append(_path_of(url))
        return tuple(dict.fromkeys(found))

    def _scheme(self, name: str, node: Tree) -> SecurityScheme:
        scheme = self._followed(node)
        checker = next((text for key in _CHECKERS if (text := _text(scheme, key)) is not None), None)
        return SecurityScheme(name, _text(scheme, "type") or "", checker)

    def _operations(self, spans: _Spans) -> Iterator[Operation]:
        for path, node in _dict(self._root, "paths").items():
            item = self._followed(node)
            for method in item:
                operation = item[method]
                if method.lower() in METHODS and isinstance(operation, dict):
                    span = spans.get((path, method), Span(1, 1, 1, 1))
                    yield self._operation(method.upper(), path, span, item, operation)

    def _operation(
        self, method: str, path: str, span: Span, item: dict[str, Tree], operation: dict[str, Tree]
    ) -> Operation:
        parameters = [self._followed(p) for p in (*_list(item, "parameters"), *_list(operation, "parameters"))]
        controllers = (_text(operation, key) for key in _CONTROLLERS)
        return Operation(
            method=method,
            path=path,
            span=span,
            operation_id=_text(operation, "operationId"),
            controller=next((c for c in controllers if c is not None), None),
            tags=tuple(tag for tag in _list(operation, "tags") if isinstance(tag, str)),
            summary=_text(operation, "summary"),
            deprecated=operation.get("deprecated") is True,
            security=_security(operation),
            parameters=tuple(_parameter(p) for p in parameters if _text(p, "in") not in (None, "body", "formData")),
            request=self._request(operation, parameters),
            responses=tuple(
                Response(status, self._content(self._followed(response)))
                for status, response in _dict(operation, "responses").items()
                if not status.startswith("x-")
            ),
        )

    def _request(self, operation: dict[str, Tree], parameters: list[dict[str, Tree]]) -> SchemaUse | None:
        body = next((p for p in parameters if _text(p, "in") == "body"), None)
        return self._content(body if body is not None else self._followed(operation.get("requestBody")))

    def _content(self, holder: dict[str, Tree]) -> SchemaUse | None:
        """The schema of a body: of its JSON form where it has several, and its own in Swagger 2."""
        media = _dict(holder, "content")
        chosen = next((media[kind] for kind in media if "json" in kind), next(iter(media.values()), holder))
        schema = chosen.get("schema") if isinstance(chosen, dict) else None
        return self._schema(schema) if schema is not None else None

    def _schema(self, node: Tree) -> SchemaUse:
        schema = self._followed(node)
        return SchemaUse(
            _referred(node) or _text(schema, "title"),
            _text(schema, "type"),
            self._element(schema),
            tuple(
                Property(name, _text(found := self._followed(value), "type"), self._element(found))
                for name, value in self._properties(schema, _DEEPEST).items()
            ),
        )

    def _element(self, schema: dict[str, Tree]) -> str | None:
        items = schema.get("items")
        return _referred(items) or _text(self._followed(items), "type") if items is not None else None

    def _properties(self, schema: dict[str, Tree], depth: int) -> dict[str, Tree]:
        found = dict(_dict(schema, "properties"))
        for part in _list(schema, "allOf") if depth else ():
            found |= self._properties(self._followed(part), depth - 1)
        return found

    def _followed(self, node: Tree) -> dict[str, Tree]:
        """The object that a node is or refers to; empty where another file holds it."""
        for _ in range(_DEEPEST):
            target = _text(node, "$ref") if isinstance(node, dict) else None
            if target is None:
                break
            node = self._at(target) if target.startswith("#/") else None
        return node if isinstance(node, dict) else {}

    def _at(self, pointer: str) -> Tree:
        node: Tree = self._root
        for part in pointer.removeprefix("#/").split("/"):
            key = unquote(part).replace("~1", "/").replace("~0", "~")
            node = node.get(key) if isinstance(node, dict) else None
        return node


def _referred(node: Tree) -> str | None:
    """The last part of the reference that the node is."""
    target = _text(node, "$ref") if isinstance(node, dict) else None
    return re.split(r"[/#]", target)[-1] if target is not None else None


def _parameter(node: dict[str, Tree]) -> Parameter:
    schema = _dict(node, "schema") or node
    place = _text(node, "in") or ""
    return Parameter(_text(node, "name") or "", place, node.get("required") is True, _text(schema, "type"))


def _security(node: dict[str, Tree]) -> tuple[tuple[str, ...], ...] | None:
    if not isinstance(node.get("security"), list):
        return None
    return tuple(tuple(alternative) for alternative in _dicts(node, "security"))


def _path_of(url: str) -> str:
    """`/api` of `https://example.org/api/`."""
    return urlsplit(url).path.rstrip("/") if "//" in url or url.startswith("/") else "/" + url.strip("/")


def _text(node: Mapping[str, Tree], key: str) -> str | None:
    value = node.get(key)
    return str(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None


def _dict(node: Mapping[str, Tree], key: str) -> dict[str, Tree]:
    value = node.get(key)
    return value if isinstance(value, dict) else {}


def _list(node: Mapping[str, Tree], key: str) -> list[Tree]:
    value = node.get(key)
    return value if isinstance(value, list) else []


def _dicts(node: Mapping[str, Tree], key: str) -> list[dict[str, Tree]]:
    return [item for item in _list(node, key) if isinstance(item, dict)]
