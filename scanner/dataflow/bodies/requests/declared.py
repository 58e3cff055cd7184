"""Types by which a library reads a body before the handler has it, and those that let everything through."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.bodies.requests.sent import JSON, TEXT, Sent
from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import BodyType
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_OPEN = frozenset({"dict", "Dict", "Any", "object", "Mapping", "MutableMapping", "Json", "JsonValue", "defaultdict"})
_MANY = frozenset({"list", "List", "Sequence", "Iterable", "set", "tuple", "Set", "Tuple"})
_ONE_OF = frozenset({"Optional", "Union", "Annotated"})
_UPLOADS = frozenset({"UploadFile", "File", "UploadedFile"})
_BYTES = frozenset({"bytes", "bytearray"})


def is_upload(body: BodyType, project: Project) -> bool:
    """Whether it is a file, whose contents no schema describes."""
    node, scope = body.site.node, body.site.scope
    if isinstance(node, form.Call):
        return last_name(node.func) == "File"
    names = {last_name(n) for n in form.walk(node) if isinstance(n, form.Name | form.Attr)}
    value = project.infer(node, scope)
    return not names.isdisjoint(_UPLOADS) or (isinstance(value, External) and last_part(value.name) in _UPLOADS)


def dependencies(handler: FunctionSymbol, project: Project) -> Iterator[tuple[str, FunctionSymbol]]:
    """The parameters that a function fills whose result the handler gets: `data=Depends(json_body)`."""
    for parameter in handler.parameters:
        said = [node for node in (parameter.annotation, parameter.default) if node is not None]
        places = [(node, handler.outer) for node in said]
        for node in said:
            if isinstance(node, form.Name | form.Attr):
                places += definitions(node, handler.outer, project)
        calls = [(n, scope) for node, scope in places for n in form.walk(node) if isinstance(n, form.Call)]
        for call, scope in calls:
            provider = call.argument(0, "dependency") if last_name(call.func) == "Depends" else None
            function = project.infer(provider, scope) if provider is not None else None
            if isinstance(function, FunctionSymbol):
                yield parameter.name, function


def let_through(body: BodyType, project: Project) -> Sent | None:
    """What the handler gets without it having been looked at; None for a type that is checked."""
    node = body.site.node
    if isinstance(node, form.Call):
        return JSON if last_name(node.func) == "Body" else None
    return _open(node, body.site.scope, project)


def _open(node: form.Expr, scope: Scope, project: Project, depth: int = 4) -> Sent | None:
    if not depth:
        return None
    match node:
        case form.Const(value=None):
            return None
        case form.Binary(op="|", left=left, right=right):
            return _all_open([left, right], scope, project, depth)
        case form.Subscript(value=generic, index=index):
            arguments: list[form.Expr] = index.items if isinstance(index, form.Display) else [index]
            name = last_name(generic) or ""
            if name == "Annotated":
                return _open(arguments[0], scope, project, depth - 1)
            if name in _ONE_OF:
                return _all_open(arguments, scope, project, depth)
            if name in _MANY:
                return _open(arguments[0], scope, project, depth - 1)
            if name in _OPEN:
                return JSON if len(arguments) < 2 or _open(arguments[1], scope, project, depth - 1) else None
            return None
    value = project.infer(node, scope)
    if isinstance(value, External):
        name = last_part(value.name)
        return JSON if name in _OPEN | _MANY else TEXT if name in _BYTES else None
    return None


def _all_open(parts: list[form.Expr], scope: Scope, project: Project, depth: int) -> Sent | None:
    """Of alternatives each has to let everything through."""
    found = [
        _open(part, scope, project, depth - 1)
        for part in parts
        if not (isinstance(part, form.Const) and part.value is None)
    ]
    return found[0] if found and all(found) else None
