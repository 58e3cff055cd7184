"""FastAPI's responses: what a response model or return annotation says about the body
(https://fastapi.tiangolo.com/tutorial/response-model/).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_WRAPPER_FIELDS = frozenset(
    "items data results rows records objects entries content list values elements hits result payload".split()
)
_IDENTITIES = frozenset({"id", "uuid", "pk", "slug"})
"""Fields of one thing: what has them isn't a page of things."""
_PAGINATORS = ("fastapi_pagination.", "fastapi_pagination_async.")
_OPEN = frozenset({"typing.Any", "builtins.dict", "builtins.object", "typing.Dict", "typing.Mapping"})
_SCALARS = frozenset({"builtins.str", "builtins.int", "builtins.bool", "builtins.float", "builtins.bytes"})
_KINDS = {
    "HTMLResponse": EndpointKind.HTML,
    "TemplateResponse": EndpointKind.HTML,
    "FileResponse": EndpointKind.FILE,
    "StreamingResponse": EndpointKind.STREAM,
    "EventSourceResponse": EndpointKind.STREAM,
    "JSONResponse": EndpointKind.JSON,
    "ORJSONResponse": EndpointKind.JSON,
    "UJSONResponse": EndpointKind.JSON,
}


@dataclass(frozen=True, slots=True)
class Body:
    """What is known of a response's body; `returns_collection` is None where nothing is."""

    returns_collection: bool | None = None
    collection: str | None = None
    paginators: tuple[Evidence, ...] = ()


class Responses:
    """Reads response declarations of one project."""

    def __init__(self, project: Project) -> None:
        self._project = project

    def body(self, annotation: Sited | None, depth: int = 6) -> Body:
        """What a response model or return annotation promises."""
        if annotation is None or not depth:
            return Body()
        node, scope = annotation.node, annotation.scope
        if isinstance(node, form.Binary) and node.op == "|":
            return self._first(annotation, [node.left, node.right], depth)
        element = self._project.annotation_element(node, scope)
        if element is not None:
            return Body(returns_collection=True, collection=spelled(element))
        if isinstance(node, form.Subscript):
            return self._generic(annotation, node, depth)
        value = self._project.infer(node, scope)
        if isinstance(value, ClassSymbol):
            return self._of_class(value)
        if isinstance(value, External) and value.name in _SCALARS:
            return Body(returns_collection=False)
        if isinstance(value, External) and value.name.startswith(_PAGINATORS):
            return self._paginated(annotation, None)
        aliases = [d for d in definitions(node, scope, self._project) if isinstance(d[0], form.Subscript | form.Binary)]
        return self.body(Sited(*aliases[-1]), depth - 1) if aliases else Body()

    def _first(self, annotation: Sited, options: Sequence[form.Expr], depth: int) -> Body:
        found = [self.body(Sited(option, annotation.scope), depth - 1) for option in options]
        known = [body for body in found if body.returns_collection is not None]
        return next((body for body in known if body.returns_collection), known[0] if known else Body())

    def _generic(self, annotation: Sited, node: form.Subscript, depth: int) -> Body:
        arguments = node.index.items if isinstance(node.index, form.Display) else [node.index]
        generic = self._project.infer(node.value, annotation.scope)
        if isinstance(generic, External):
            name = last_part(generic.name)
            if generic.name.startswith(_PAGINATORS):
                return self._paginated(annotation, spelled(arguments[0]))
            if name in ("Optional", "Annotated", "Awaitable"):
                return self.body(Sited(arguments[0], annotation.scope), depth - 1)
            if name == "Union":
                return self._first(annotation, arguments, depth)
            return Body()
        if isinstance(generic, ClassSymbol):
            inner = [self.body(Sited(argument, annotation.scope), depth - 1) for argument in arguments]
            listed = next((body for body in inner if body.returns_collection), None)
            own = self._of_class(generic)
            if listed is None and own.returns_collection:
                return Body(True, spelled(arguments[0]), own.paginators)
            return listed or own
        return Body()

    def _paginated(self, annotation: Sited, collection: str | None) -> Body:
        evidence = annotation.module.evidence(annotation.node, "fastapi-pagination cuts it into pages of at most 100")
        return Body(returns_collection=True, collection=collection, paginators=(evidence,))

    def _of_class(self, cls: ClassSymbol) -> Body:
        bases = self._project.base_names(cls)
        if any(last_part(name) in _KINDS or last_part(name) == "Response" for name in bases):
            return Body()
        for base in cls.node.bases:
            if isinstance(base.value, form.Subscript) and last_name(base.value.value) == "RootModel":
                return self.body(Sited(base.value.index, cls.outer))
            paged = self._project.infer(base.value, cls.outer)
            if isinstance(paged, External) and paged.name.startswith(_PAGINATORS):
                return self._paginated(Sited(base.value, cls.outer), None)
        fields = {
            name: bindings[-1]
            for owner in reversed(self._project.mro(cls))
            if isinstance(owner, ClassSymbol)
            for name, bindings in owner.scope.bindings.items()
        }
        for name in _WRAPPER_FIELDS & fields.keys() if _IDENTITIES.isdisjoint(fields) else ():
            annotation = fields[name].annotation
            element = self._project.annotation_element(annotation, fields[name].scope) if annotation else None
            if element is not None:
                return Body(returns_collection=True, collection=spelled(element))
        return Body(returns_collection=False)

    def kind(
        self, handler: FunctionSymbol | None, declared: Sited | None, *, json_default: bool
    ) -> EndpointKind | None:
        """By the declared response class or annotation, else by what the handler returns."""
        if declared is not None:
            kind = _KINDS.get(last_name(declared.node) or "")
            if kind is not None:
                return kind
        returned = set[EndpointKind | None]()
        for node in handler.returns() if handler is not None else ():
            returned.add(self._returned_kind(node, handler) if handler is not None else None)
        known = {kind for kind in returned if kind is not None}
        if len(known) == 1 and (None not in returned or not json_default):
            return known.pop()
        return EndpointKind.JSON if json_default else None

    def _returned_kind(self, node: form.Return, handler: FunctionSymbol) -> EndpointKind | None:
        value = self._project.infer(node.value, handler.scope) if node.value is not None else None
        if isinstance(value, Literal):
            return None
        if isinstance(value, Instance):
            found = _KINDS.get(last_part(value.type_name))
            if found is not None:
                return found
        return _KINDS.get(last_name(node.value.func) or "") if isinstance(node.value, form.Call) else None


def spelled(node: form.Expr) -> str | None:
    """An annotation as it is written."""
    match node:
        case form.Subscript(value=base, index=index):
            items = index.items if isinstance(index, form.Display) else [index]
            inside = ", ".join(spelled(item) or "..." for item in items)
            return f"{spelled(base)}[{inside}]"
        case form.Binary(op="|", left=left, right=right):
            return f"{spelled(left)} | {spelled(right)}"
        case form.Const(value=value):
            return str(value)
    return form.dotted(node)
