"""What Litestar's handlers declare of bodies: types, pagination, statuses, what kind of thing they answer with
(https://docs.litestar.dev/2/usage/responses.html).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, Sited
from assay.scanner.frameworks.litestar.handlers import Handler
from assay.scanner.frameworks.litestar.layers import Layer
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.values import External
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import UNKNOWN, Content, content, spelled

_PAGES = frozenset({"ClassicPagination", "OffsetPagination", "CursorPagination"})
_LIBRARIES = ("litestar.", "advanced_alchemy.")
_KINDS = {
    "Template": EndpointKind.HTML,
    "HTMXTemplate": EndpointKind.HTML,
    "File": EndpointKind.FILE,
    "Stream": EndpointKind.STREAM,
    "ServerSentEvent": EndpointKind.STREAM,
}
_WRAPPERS = frozenset({"Response", "Annotated", "Optional"})
_MEDIA = {"HTML": EndpointKind.HTML, "text/html": EndpointKind.HTML}
_BODY = "data"
"""The parameter that takes the body (https://docs.litestar.dev/2/usage/requests.html)."""
_DEEPEST = 6


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler promises to answer with."""

    model: str | None = None
    content: Content = UNKNOWN
    pages: Evidence | None = None
    kind: EndpointKind | None = None


def answer(handler: Handler, layers: list[Layer], project: Project) -> Answer:
    """By the return annotation, and the `media_type` of the nearest layer that states one."""
    annotation = handler.function.node.returns
    stated = next((s for layer in reversed(layers) if (s := layer.stated("media_type", project)) is not None), None)
    media = last_name(stated.node) or getattr(stated.node, "value", None) if stated is not None else None
    kind = _MEDIA.get(str(media))
    if annotation is None:
        return Answer(kind=kind)
    sited = Sited(annotation, handler.function.outer)
    inner = _unwrapped(sited, project)
    named = _name(inner, project)
    if named in _KINDS or named == "Redirect":
        return Answer(kind=kind or _KINDS.get(named))
    if isinstance(inner.node, form.Const) and inner.node.value is None:
        return Answer(content=Content(is_collection=False), kind=kind)
    if named in _PAGES:
        place = sited.module.evidence(annotation, f"{named} holds one page")
        return Answer(spelled(annotation), Content(True, _last_argument(inner.node)), place, kind)
    return Answer(spelled(annotation), content(inner, project), None, kind)


def _unwrapped(annotation: Sited, project: Project, depth: int = _DEEPEST) -> Sited:
    """X of `Response[X]` and `Annotated[X, ...]`, through aliases."""
    node = annotation.node
    if isinstance(node, form.Subscript) and last_name(node.value) in _WRAPPERS and depth:
        first = node.index.items[0] if isinstance(node.index, form.Display) else node.index
        return _unwrapped(Sited(first, annotation.scope), project, depth - 1)
    aliases = definitions(node, annotation.scope, project) if depth else []
    followed = [d for d in aliases if isinstance(d[0], form.Subscript)]
    return _unwrapped(Sited(*followed[-1]), project, depth - 1) if followed else annotation


def _name(annotation: Sited, project: Project) -> str:
    """The last name of a library's class, without its arguments."""
    node = annotation.node.value if isinstance(annotation.node, form.Subscript) else annotation.node
    value = project.infer(node, annotation.scope)
    return last_part(value.name) if isinstance(value, External) and value.name.startswith(_LIBRARIES) else ""


def _last_argument(node: form.Expr) -> str | None:
    if not isinstance(node, form.Subscript):
        return None
    return spelled(node.index.items[-1] if isinstance(node.index, form.Display) else node.index)


def request_model(handler: Handler) -> str | None:
    """The type of the parameter that takes the body."""
    found = request_types(handler)
    return spelled(found[0].site.node) if found else None


def request_types(handler: Handler) -> tuple[BodyType, ...]:
    """The type itself, without what `Annotated` adds to it."""
    for param in handler.function.parameters:
        annotation = param.annotation
        if param.name == _BODY and annotation is not None:
            if isinstance(annotation, form.Subscript) and last_name(annotation.value) == "Annotated":
                index = annotation.index
                annotation = index.items[0] if isinstance(index, form.Display) else index
            return (BodyType(Sited(annotation, handler.function.outer), (handler.function, param.name)),)
    return ()


def response_types(handler: Handler, layers: Sequence[Layer], project: Project) -> tuple[BodyType, ...]:
    """The return annotation; nothing where a DTO of any layer decides what is sent."""
    returns = handler.function.node.returns
    is_transferred = any(layer.stated(name, project) is not None for layer in layers for name in ("return_dto", "dto"))
    return (BodyType(Sited(returns, handler.function.outer)),) if returns is not None and not is_transferred else ()


def status_codes(handler: Handler, project: Project) -> tuple[int, ...]:
    """The `status_code` of success, then the keys of `responses`."""
    stated = handler.call.keyword("status_code")
    found = [status_code(stated, handler.scope, project)] if stated is not None else []
    others = handler.call.keyword("responses")
    if isinstance(others, form.Dict):
        found += [status_code(key, handler.scope, project) for key in others.keys if key is not None]
    return tuple(dict.fromkeys(code for code in found if code is not None))
