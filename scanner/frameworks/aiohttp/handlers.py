"""aiohttp's handlers: what they answer with, and what guards them
(https://aiohttp-security.readthedocs.io/en/latest/reference.html).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Guard
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.answers import kind_of_handler
from assay.scanner.web.guards import decorator_guards, own_check

_SECURITY_CHECKS = frozenset({"check_authorized", "check_permission"})
_DECORATORS = frozenset(
    {
        "aiohttp_security.login_required",
        "aiohttp_security.has_permission",
        "aiohttp_jwt.login_required",
        "aiohttp_jwt.check_permissions",
    }
)
_KINDS = {
    "json_response": EndpointKind.JSON,
    "FileResponse": EndpointKind.FILE,
    "StreamResponse": EndpointKind.STREAM,
    "WebSocketResponse": EndpointKind.WEBSOCKET,
    "render_template": EndpointKind.HTML,
    "render_template_async": EndpointKind.HTML,
    "render_string": EndpointKind.HTML,
    "template": EndpointKind.HTML,
    "sse_response": EndpointKind.STREAM,
}


def guards_of(function: FunctionSymbol, project: Project) -> Iterator[Guard]:
    """Decorators, aiohttp-security's functions, and the check that the handler makes itself."""
    yield from decorator_guards(function.decorators, function.outer, project, _DECORATORS)
    for node in function.walk():
        if isinstance(node, form.Call):
            called = project.callee_name(node, function.scope) or ""
            if called.startswith("aiohttp_security.") and last_part(called) in _SECURITY_CHECKS:
                yield Guard(last_part(called), function.module.evidence(node, "asks who is calling"))
    yield from own_check(function, project)


def kind_of(function: FunctionSymbol, project: Project) -> EndpointKind | None:
    """By what it returns; a plain `Response` tells by its content type."""
    told = kind_of_handler(function, project, _KINDS)
    return told or next(_stated_kinds(function, project), None)


def _stated_kinds(function: FunctionSymbol, project: Project) -> Iterator[EndpointKind]:
    for node in function.walk():
        if isinstance(node, form.Call) and last_name(node.func) == "Response":
            stated = node.keyword("content_type")
            text = string_value(stated, function.scope, project) if stated is not None else None
            if text is not None and ("html" in text or "json" in text):
                yield EndpointKind.HTML if "html" in text else EndpointKind.JSON
