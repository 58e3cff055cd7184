"""Protocol buffer definitions: a file's package and its services with their methods
(https://protobuf.dev/reference/protobuf/proto3-spec/).
"""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_NOISE = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'', re.DOTALL)
_PACKAGE = re.compile(r"^\s*package\s+(?P<name>[\w.]+)\s*;", re.MULTILINE)
_SERVICE = re.compile(r"\bservice\s+(?P<name>\w+)\s*\{")
_METHOD = re.compile(
    r"\brpc\s+(?P<name>\w+)\s*\(\s*(?P<sends>stream\s+)?(?P<request>[\w.]+)\s*\)"
    r"\s*returns\s*\(\s*(?P<receives>stream\s+)?(?P<response>[\w.]+)\s*\)\s*(?P<end>[;{])"
)
_DEPRECATED = re.compile(r"\boption\s+deprecated\s*=\s*true\s*;")


class Method(msgspec.Struct, frozen=True, array_like=True):
    """One `rpc`; types as they are spelled, `stream X` where it is many."""

    name: str
    request: str
    response: str
    is_deprecated: bool
    span: Span


class ServiceDefinition(msgspec.Struct, frozen=True, array_like=True):
    """One `service`, by its full name."""

    name: str
    methods: tuple[Method, ...]
    span: Span


class ProtobufFacts(msgspec.Struct, frozen=True, array_like=True, tag="protobuf"):
    """The services of a file."""

    package: str
    services: tuple[ServiceDefinition, ...]


def read(path: str, data: bytes) -> ProtobufFacts:  # noqa: ARG001 - every reader has the same signature
    """Read a `.proto` file; what isn't a service is passed over. Raises ReadProblem."""
    text = _NOISE.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), decode(data))
    declared = _PACKAGE.search(text)
    package = declared["name"] if declared is not None else ""
    found = []
    for service in _SERVICE.finditer(text):
        end = _closing(text, service.end() - 1)
        methods = tuple(_method(text, rpc) for rpc in _METHOD.finditer(text, service.end(), end))
        name = f"{package}.{service['name']}" if package else service["name"]
        found.append(ServiceDefinition(name, methods, _span(text, service.start(), service.end("name"))))
    return ProtobufFacts(package, tuple(found))


def _method(text: str, rpc: re.Match[str]) -> Method:
    options = text[rpc.end() : _closing(text, rpc.end() - 1)] if rpc["end"] == "{" else ""
    return Method(
        name=rpc["name"],
        request=f"stream {rpc['request']}" if rpc["sends"] else rpc["request"],
        response=f"stream {rpc['response']}" if rpc["receives"] else rpc["response"],
        is_deprecated=_DEPRECATED.search(options) is not None,
        span=_span(text, rpc.start(), rpc.end()),
    )


def _closing(text: str, opening: int) -> int:
    """The place of the brace that closes the one at this place; the end of the text where none does."""
    depth = 0
    for brace in re.compile(r"[{}]").finditer(text, opening):
        depth += 1 if brace[0] == "{" else -1
        if not depth:
            return brace.start()
    return len(text)


def _span(text: str, start: int, end: int) -> Span:
    line, end_line = text.count("\n", 0, start) + 1, text.count("\n", 0, end) + 1
    return Span(line, start - text.rfind("\n", 0, start), end_line, end - text.rfind("\n", 0, end))
