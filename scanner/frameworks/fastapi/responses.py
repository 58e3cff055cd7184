"""FastAPI's responses: what a response model or return annotation says about the body
(https://fastapi.tiangolo.com/tutorial/response-model/, https://uriyyo-fastapi-pagination.netlify.app).
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import content, spelled

_PAGINATORS = ("fastapi_pagination.", "fastapi_pagination_async.", "fastcrud.paginated.Paginated",
    "fastcrud.PaginatedListResponse")  # fmt: skip
_DEEPEST_ALIAS = 4
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

    def body(self, annotation: Sited | None) -> Body:
        """What a response model or return annotation promises."""
        if annotation is None:
            return Body()
        if self._has_page(annotation, _DEEPEST_ALIAS):
            evidence = annotation.module.evidence(annotation.node, "a pagination library cuts it into pages")
            node = annotation.node
            inner = node.index if isinstance(node, form.Subscript) else None
            of = inner.items[0] if isinstance(inner, form.Display) and inner.items else inner
            return Body(True, spelled(of) if of is not None else None, (evidence,))
        if self._is_response_class(annotation):
            return Body()
        found = content(annotation, self._project)
        return Body(found.is_collection, found.of)

    def _has_page(self, site: Sited, depth: int) -> bool:
        """`Page`, a class of the project derived from one, an alias such as `Page.with_custom_options(size=10)`."""
        names = (n for n in form.walk(site.node) if isinstance(n, form.Name | form.Attr))
        return depth > 0 and any(self._is_page(Sited(name, site.scope), depth) for name in names)

    def _is_page(self, site: Sited, depth: int) -> bool:
        value = self._project.infer(site.node, site.scope)
        names = self._project.base_names(value) if isinstance(value, ClassSymbol) else set()
        if isinstance(value, External | Instance):
            names = {value.name if isinstance(value, External) else value.type_name}
        if any(name.startswith(_PAGINATORS) for name in names):
            return True
        aliases = (d for d in definitions(site.node, site.scope, self._project) if not isinstance(d[0], form.Const))
        return any(self._has_page(Sited(*alias), depth - 1) for alias in aliases)

    def _is_response_class(self, annotation: Sited) -> bool:
        value = self._project.infer(annotation.node, annotation.scope)
        bases = self._project.base_names(value) if isinstance(value, ClassSymbol) else set()
        return any(last_part(name) in _KINDS or last_part(name) == "Response" for name in bases)

    def kind(
        self, handler: FunctionSymbol | None, declared: Sited | None, *, json_default: bool
    ) -> EndpointKind | None:
        """By the declared response class or annotation, else by what the handler returns."""
        if declared is not None:
            kind = _KINDS.get(last_name(declared.node) or "")
            if kind is not None:
                return kind
        returned = set[EndpointKind | None]()
        for node in handler.returns if handler is not None else ():
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
