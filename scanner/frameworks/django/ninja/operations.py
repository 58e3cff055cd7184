"""What Django Ninja's operations declare: their tags, bodies and responses
(https://django-ninja.dev/reference/operations-parameters/).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.constants import int_value, list_items, string_items
from assay.scanner.framework import BodyType, DeclaredParameter, Sited
from assay.scanner.frameworks.django.constants import definition
from assay.scanner.frameworks.django.ninja.apis import Level, Place
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import Instance
from assay.scanner.readers.python import form
from assay.scanner.web.annotations import UNKNOWN, Content, content, spelled

_MODELS = frozenset({"Schema", "ModelSchema", "BaseModel", "RootModel"})
_MADE_MODELS = frozenset({"ninja.orm.create_schema", "ninja.create_schema", "pydantic.create_model"})
_BODIES = frozenset({"Body", "Form", "BodyEx", "FormEx"})
_PLACES = {
    "Query": "query",
    "QueryEx": "query",
    "Header": "header",
    "Cookie": "cookie",
    "Path": "path",
    "PathEx": "path",
}
_NO_BODIES = frozenset({"Query", "Path", "Header", "Cookie", "File", "PathEx", "QueryEx", "Depends"})


@dataclass(frozen=True, slots=True)
class Responses:
    """What an operation answers with, as far as it says: the model of success, and all statuses."""

    model: Sited | None = None
    status_codes: tuple[int, ...] = ()

    def content(self, project: Project) -> Content:
        return content(self.model, project) if self.model is not None else UNKNOWN


def tags(own: Level, place: Place, project: Project) -> tuple[str, ...]:
    """The operation's own, else its router's: those of an inclusion stand for all, those of routers add up."""
    included, *_ = place.inclusions or (None,)
    stated = own.stated("tags") or (included.stated("tags") if included is not None else None)
    said = [stated] if stated is not None else [t for level in reversed(place.levels) if (t := level.stated("tags"))]
    found = [text for each in said for text in string_items(each.node, each.scope, project)]
    return tuple(dict.fromkeys(text for text in found if text is not None))


def responses(own: Level, project: Project) -> Responses:
    """`response=Model` or `response={200: Model, 404: Error}`; a status alone says nothing of a model."""
    stated = own.stated("response")
    if stated is None:
        return Responses()
    followed = definition(stated, project)
    if not isinstance(followed.node, form.Dict):
        is_nothing = isinstance(followed.node, form.Const) and followed.node.value is None
        return Responses(None if is_nothing else stated)
    models: dict[int, form.Expr] = {}
    for key, model in zip(followed.node.keys, followed.node.values, strict=True):
        nodes = list_items(key, followed.scope, project) if key is not None else []
        if isinstance(key, form.Call):  # frozenset({401, 403})
            nodes = [item for arg in key.args for item in list_items(arg.value, followed.scope, project)]
        for node, scope in nodes or ([(key, followed.scope)] if key is not None else []):
            code = int_value(node, scope, project)
            if code is not None:
                models[code] = model
    codes = sorted(models, key=lambda code: code // 100 != 2)
    success = models[codes[0]] if codes and codes[0] // 100 == 2 else None
    is_empty = isinstance(success, form.Const) and success.value is None
    return Responses(Sited(success, followed.scope) if success is not None and not is_empty else None, tuple(codes))


def request_model(function: FunctionSymbol, path: str, project: Project) -> str | None:
    """The type of the parameter that is read from the body."""
    found = request_types(function, path, project)
    return spelled(found[0].site.node) if found else None


def request_types(function: FunctionSymbol, path: str, project: Project) -> tuple[BodyType, ...]:
    """The types of parameters read from the body: those that say so, and schemas that say nothing else."""
    found = list[BodyType]()
    for param in function.parameters:
        if param.annotation is None or f":{param.name}>" in path or f"<{param.name}>" in path:
            continue
        declared, source = _declared(param, function, project)
        if source in _BODIES or (source is None and _is_model(declared, function, project)):
            found.append(BodyType(Sited(declared, function.outer), (function, param.name)))
    return tuple(found)


def parameters(function: FunctionSymbol, path: str, project: Project) -> tuple[DeclaredParameter, ...]:
    """What it reads from the path, the query, headers and cookies; a schema stands for its fields
    (https://django-ninja.dev/guides/input/query-params/).
    """
    found = list[DeclaredParameter]()
    for param in function.parameters:
        is_request = param.annotation is not None and (last_name(param.annotation) or "").endswith("Request")
        if is_request or (param.annotation is None and param.default is None):
            continue
        declared, source = _declared(param, function, project) if param.annotation is not None else (None, None)
        is_model = declared is not None and _is_model(declared, function, project)
        if f":{param.name}>" in path or f"<{param.name}>" in path:
            found.append(DeclaredParameter(param.name, "path", True, function.module.location(param)))
        elif source in _PLACES and is_model and declared is not None:
            found += _fields(declared, _PLACES[source], function, project)
        elif source in _PLACES or (source is None and not is_model):
            name = _alias(param.default) or param.name
            place = _PLACES[source] if source is not None else "query"
            location = function.module.location(param)
            found.append(DeclaredParameter(name, place, not _has_default(param.default), location))
    return tuple(found)


def _fields(
    annotation: form.Expr, place: str, function: FunctionSymbol, project: Project
) -> Iterator[DeclaredParameter]:
    cls = project.annotation_class(annotation, function.outer)
    for base in project.mro(cls) if isinstance(cls, ClassSymbol) else ():
        for name, bound in base.scope.bindings.items() if isinstance(base, ClassSymbol) else ():
            if bound[-1].annotation is not None and isinstance(base, ClassSymbol):
                start, value = bound[-1].offset, bound[-1].value
                location = base.module.span(start, start + len(name))
                yield DeclaredParameter(_alias(value) or name, place, not _has_default(value), location)


def _alias(default: form.Expr | None) -> str | None:
    stated = default.keyword("alias") if isinstance(default, form.Call) else None
    return stated.value if isinstance(stated, form.Const) and isinstance(stated.value, str) else None


def _has_default(default: form.Expr | None) -> bool:
    """`= 10`, `= Query(10)` and `= Field(default=None)`, and not `= Query(...)`."""
    if not isinstance(default, form.Call) or last_name(default.func) not in (*_PLACES, "Field"):
        return default is not None
    stated = default.argument(0, "default") or default.keyword("default_factory")
    return stated is not None and not (isinstance(stated, form.Opaque) and stated.end - stated.start == len("..."))


def _declared(param: form.Param, function: FunctionSymbol, project: Project) -> tuple[form.Expr, str | None]:
    """The parameter's type, and where it says it is read from: `Query[T]`, `Annotated[T, Form()]`, `T = Body(...)`."""
    declared = param.annotation
    assert declared is not None
    sources = [param.default] if param.default is not None else []
    if isinstance(declared, form.Subscript):
        index = declared.index
        arguments = index.items if isinstance(index, form.Display) and index.items else [index]
        if last_name(declared.value) == "Annotated":
            declared, sources = arguments[0], [*arguments[1:], *sources]
        elif last_name(declared.value) in _BODIES | _NO_BODIES:
            sources, declared = [declared.value], arguments[0]
    for source in sources:
        callee = source.func if isinstance(source, form.Call) else source
        name = last_part(project.qualified_name(callee, function.outer) or "")
        if name in _BODIES | _NO_BODIES:
            return declared, name
    return declared, None


def _is_model(annotation: form.Expr, function: FunctionSymbol, project: Project) -> bool:
    element = project.annotation_element(annotation, function.outer)
    value = project.annotation_class(element or annotation, function.outer)
    if isinstance(value, ClassSymbol):
        return any(last_part(name) in _MODELS for name in project.base_names(value))
    return isinstance(value, Instance) and value.type_name in _MADE_MODELS
