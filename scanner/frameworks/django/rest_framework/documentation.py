"""What a view says of itself for its API documentation: models, statuses, tags, summary.

By serializers, by drf-spectacular's `extend_schema` (https://drf-spectacular.readthedocs.io/en/latest/customization.html)
or by drf-yasg's `swagger_auto_schema` (https://drf-yasg.readthedocs.io/en/stable/custom_spec.html).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.dataflow.status_codes import status_code
from assay.scanner.framework import BodyType, Sited
from assay.scanner.frameworks.django.constants import Evaluator, definition
from assay.scanner.frameworks.django.rest_framework.policies import SERIALIZER, chosen
from assay.scanner.frameworks.django.rest_framework.viewsets import Action
from assay.scanner.frameworks.django.views import View, constant_strings
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_DECORATORS = ("extend_schema", "swagger_auto_schema")
_WITH_BODY = ("POST", "PUT", "PATCH")
_ACTIONS = frozenset({"create", "update", "partial_update", "list", "retrieve"})
"""Methods of the library's mixins that answer by the view's serializer."""
_GOES_ON_TO = {
    "get": ("list", "retrieve"),
    "post": ("create",),
    "put": ("update",),
    "patch": ("partial_update", "update"),
    "partial_update": ("update",),
}
"""What the library's own methods call, in which a view may answer in its own way."""


@dataclass(frozen=True, slots=True)
class Documentation:
    """As the fields of `Route`."""

    request_model: str | None = None
    response_model: str | None = None
    status_codes: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    summary: str | None = None
    is_deprecated: bool = False


def documentation(view: View, action: Action, verb: str, project: Project) -> Documentation:
    """What is said of one verb of a view, nearest first: on the handler, on the class for the action, for the class."""
    said = list(_said(view, action, verb, project))
    serializer = _serializer(view, action, verb, project)
    request, responses = _first(said, "request", "request_body"), _first(said, "responses")
    answers = list(_responses(responses, project)) if responses is not None else []
    tags, summary = _first(said, "tags"), _first(said, "summary", "operation_summary")
    deprecated = _first(said, "deprecated")
    evaluator = Evaluator(project)
    tag_list = definition(tags, project).node if tags is not None else None
    success = next((model for status, model in answers if status is None or status < 400), None)
    return Documentation(
        request_model=_model(request, project) if request is not None else serializer if verb in _WITH_BODY else None,
        response_model=success if responses is not None else serializer if verb != "DELETE" else None,
        status_codes=tuple(status for status, _ in answers if status is not None),
        tags=tuple(constant_strings(tag_list.items)) if isinstance(tag_list, form.Display) else (),
        summary=evaluator.text(summary) if summary is not None else None,
        is_deprecated=deprecated is not None and evaluator.constant(deprecated) is True,
    )


def body_types(view: View, action: Action, verb: str, project: Project) -> tuple[BodyType, ...]:
    """The view's serializers, where the library's own code or the handler lets them read and write."""
    if view.cls is None or not (action.handler is None or _asks_for_serializer(action.handler, project)):
        return ()
    found = (site for classes in chosen(SERIALIZER, view, action, verb, None, project) for site in classes)
    return tuple(BodyType(site) for site in dict.fromkeys(found))


def answers_by_serializer(view: View, action: Action, project: Project) -> bool:
    """Whether the view's serializer writes the answer: one that only reads the body is asked for no `.data`."""
    handler = action.handler
    if handler is None and view.cls is not None:
        own = (project.method(view.cls, name) for name in _GOES_ON_TO.get(action.name, ()))
        handler = next((method for method in own if method is not None), None)
    if handler is None:
        return True
    for node in handler.walk():
        if isinstance(node, form.Attr) and node.attr == "data" and last_name(node.value) != "request":
            return True
        if isinstance(node, form.Call) and _goes_on(node, handler, project):
            return True
    return False


def _asks_for_serializer(handler: FunctionSymbol, project: Project) -> bool:
    """`self.get_serializer(...)`, or `super().create(...)`."""
    calls = [node for node in handler.walk() if isinstance(node, form.Call)]
    return any(
        last_name(call.func) in ("get_serializer", "get_serializer_class") or _goes_on(call, handler, project)
        for call in calls
    )


def _goes_on(call: form.Call, handler: FunctionSymbol, project: Project) -> bool:
    """`super().create(...)`, or `self.create(...)` in `post`, where the library's own code goes on."""
    if not isinstance(call.func, form.Attr):
        return False
    owner, name = call.func.value, call.func.attr
    is_super = isinstance(owner, form.Call) and last_name(owner.func) == "super"
    if is_super:
        return name == handler.name
    if last_name(owner) != "self" or name not in _ACTIONS or handler.owner is None:
        return False
    return project.method(handler.owner, name) is None


# --- decorators ---


def _said(view: View, action: Action, verb: str, project: Project) -> Iterator[Sited]:
    """The calls of documenting decorators that are about the verb."""
    if action.handler is not None:
        for decorator in action.handler.decorators:
            yield from _about(Sited(decorator, action.handler.outer), verb, project)
    bases = [b for b in project.mro(view.cls) if isinstance(b, ClassSymbol)] if view.cls is not None else []
    on_classes = [Sited(decorator, base.outer) for base in bases for decorator in base.node.decorators]
    for decorator_of_class in on_classes:
        yield from _of_action(decorator_of_class, action, verb, project)
    for decorator_of_class in on_classes:
        yield from _about(decorator_of_class, verb, project)


def _of_action(decorator: Sited, action: Action, verb: str, project: Project) -> Iterator[Sited]:
    node = decorator.node
    if isinstance(node, form.Call) and last_name(node.func) == "extend_schema_view":
        own = node.keyword(action.name)
        yield from _about(Sited(own, decorator.scope), verb, project) if own is not None else ()
    elif isinstance(node, form.Call) and last_name(node.func) == "method_decorator":
        name, inner = node.argument(1, "name"), node.argument(0, "decorator")
        if isinstance(name, form.Const) and name.value == action.name and inner is not None:
            yield from _about(Sited(inner, decorator.scope), verb, project)


def _about(decorator: Sited, verb: str, project: Project) -> Iterator[Sited]:
    followed = definition(decorator, project)
    node = followed.node
    if not isinstance(node, form.Call) or last_name(node.func) not in _DECORATORS:
        return
    methods = node.keyword("methods") or node.keyword("method")
    items = methods.items if isinstance(methods, form.Display) else [methods] if methods is not None else []
    named = {text.upper() for text in constant_strings(items)}
    if not named or verb in named:
        yield followed


def _first(said: list[Sited], *names: str) -> Sited | None:
    for call in said:
        for name in names:
            value = call.node.keyword(name) if isinstance(call.node, form.Call) else None
            if value is not None:
                return Sited(value, call.scope)
    return None


# --- models ---


def _responses(sited: Sited, project: Project) -> Iterator[tuple[int | None, str | None]]:
    """Statuses with their models, in order; a status of None where only a model is given."""
    followed = definition(sited, project)
    if not isinstance(followed.node, form.Dict):
        yield None, _model(sited, project)
        return
    for key, value in zip(followed.node.keys, followed.node.values, strict=True):
        status = key.items[0] if isinstance(key, form.Display) and key.items else key  # (200, "application/json")
        if status is not None:
            code = status_code(status, followed.scope, project)
            if code is None and isinstance(status, form.Const) and str(status.value).isdigit():
                code = int(str(status.value))
            yield code, _model(Sited(value, followed.scope), project)


def _model(sited: Sited, project: Project) -> str | None:
    """`Item`, `Item(many=True)`, `OpenApiResponse(Item)`, `inline_serializer("Item", ...)`: the name of the class."""
    node = sited.node
    if isinstance(node, form.Call):
        name = last_name(node.func)
        if name in ("OpenApiResponse", "Response", "OpenApiRequest"):
            inner = node.argument(0, "response") or node.keyword("schema") or node.keyword("request")
            return _model(Sited(inner, sited.scope), project) if inner is not None else None
        if name == "inline_serializer":
            stated = node.argument(0, "name")
            return Evaluator(project).text(Sited(stated, sited.scope)) if stated is not None else None
        node = node.func
    value = project.infer(node, sited.scope)
    if isinstance(value, ClassSymbol):
        return value.name
    return last_part(value.name) if isinstance(value, External) else None


def _serializer(view: View, action: Action, verb: str, project: Project) -> str | None:
    """The one serializer class that the view uses for the action; None where there are several."""
    if view.cls is None:
        return None
    named = {_model(c, project) for classes in chosen(SERIALIZER, view, action, verb, None, project) for c in classes}
    return named.pop() if len(named) == 1 else None
