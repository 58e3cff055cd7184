"""What the decorators of Sanic Extensions say about a handler
(https://sanic.dev/en/plugins/sanic-ext/openapi/decorators.html, .../validation.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from assay.scanner.dataflow.constants import constant, int_value, list_items, string_value
from assay.scanner.framework import BodyType, Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import spelled

_PACKAGES = ("sanic_ext.", "sanic_openapi.")


@dataclass(frozen=True, slots=True)
class Documentation:
    """What is said about one operation."""

    tags: tuple[str, ...] = ()
    summary: str | None = None
    is_deprecated: bool = False
    request_model: str | None = None
    response_model: str | None = None
    request_types: tuple[BodyType, ...] = ()
    status_codes: tuple[int, ...] = ()


def documentation_of(function: FunctionSymbol | None, project: Project) -> Documentation:
    """All that the handler's decorators say; the topmost has the last word."""
    found = Documentation()
    for decorator in reversed(function.decorators) if function is not None else ():
        callee = decorator.func if isinstance(decorator, form.Call) else decorator
        name = project.qualified_name(callee, function.outer) if function is not None else None
        if name is None or not name.startswith(_PACKAGES) or function is None:
            continue
        for keyword, said in _sayings(last_part(name), Sited(decorator, function.outer)):
            found = _with(found, keyword, said, project)
    return found


def _sayings(name: str, decorator: Sited) -> Iterator[tuple[str, Sited]]:
    """What one decorator says, by the keyword that `openapi.definition` has for it."""
    call = decorator.node
    if name == "deprecated":
        yield name, decorator
    if not isinstance(call, form.Call):
        return
    match name:
        case "definition":
            said = [(arg.name, arg.value) for arg in call.args if arg.name is not None]
        case "validate":
            said = [("validated", arg.value) for arg in call.args if arg.name in ("json", "form")]
        case "tag":
            said = [("tag", arg.value) for arg in call.args]
        case "response":
            said = [("response", call)]
        case "summary" | "body":
            said = [(name, call.args[0].value)] if call.args else []
        case _:
            said = []
    yield from ((keyword, Sited(node, decorator.scope)) for keyword, node in said)


def _with(found: Documentation, keyword: str, said: Sited, project: Project) -> Documentation:
    match keyword:
        case "summary":
            return replace(found, summary=string_value(said.node, said.scope, project))
        case "tag":
            items = list_items(said.node, said.scope, project) or [(said.node, said.scope)]
            tags = (string_value(*item, project) for item in items)
            return replace(found, tags=(*found.tags, *(tag for tag in tags if tag is not None)))
        case "deprecated":
            known = constant(said.node, said.scope, project)
            return replace(found, is_deprecated=known is None or bool(known.value))
        case "body":
            return replace(found, request_model=_content(said))
        case "validated":
            return replace(found, request_model=_content(said), request_types=(*found.request_types, BodyType(said)))
        case "response":
            for item, scope in list_items(said.node, said.scope, project) or [(said.node, said.scope)]:
                found = _with_response(found, Sited(item, scope), project)
    return found


def _with_response(found: Documentation, said: Sited, project: Project) -> Documentation:
    """`openapi.response(200, Model)`, `definitions.Response(Model, status=200)`, or a model alone."""
    node, scope = said.node, said.scope
    status: form.Expr | None = None
    content: form.Expr | None = node
    if isinstance(node, form.Call) and last_name(node.func) == "Response":
        status, content = node.argument(1, "status"), node.argument(0, "content")
    elif isinstance(node, form.Call):
        status, content = node.argument(0, "status"), node.argument(1, "content")
    code = int_value(status, scope, project) if status is not None else None
    if code is not None:
        found = replace(found, status_codes=(code, *found.status_codes))
    if content is not None and (code is None or code < 400):
        found = replace(found, response_model=_content(Sited(content, scope)))
    return found


def _content(said: Sited) -> str | None:
    """A model, alone or by its media type."""
    node = said.node
    if isinstance(node, form.Dict) and node.values:
        node = node.values[0]
    if isinstance(node, form.Call):  # `definitions.RequestBody(Model)`
        return _content(Sited(node.args[0].value, said.scope)) if node.args else None
    return spelled(node)
