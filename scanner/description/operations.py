"""What a generated description says of each operation in words: docstrings, summaries, arguments of decorators."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from assay.scanner.description.applications import Application
from assay.scanner.framework import Route, Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.remembered import remembered
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.description import DocumentedOperation
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_WORDS = frozenset({"summary", "description", "operation_summary", "operation_description", "docs", "desc", "notes"})
_PLACEHOLDER = re.compile(
    r"\W*(?:(?:todo|tbd|fixme|xxx)\b.*|_*(?:summary|description|docstring)_*|endpoint|handler|view)\W*", re.IGNORECASE
)
_DECORATORS = frozenset({"swag_from", "swagger_auto_schema_from_file"})
"""Decorators that take the words from somewhere else."""
_OF_PARTS = frozenset({"response", "responses", "alt_response", "other_responses", "param", "parameter", "header",
    "body", "input", "output", "arguments", "expect", "marshal_with", "marshal_list_with", "use_kwargs"})  # fmt: skip
"""Decorators whose words are about a parameter, a body or an answer."""
_HIDING = {"hide": True, "exclude": True, "include_in_schema": False, "doc": False, "documented": False}
_HIDERS = frozenset({"hide", "exclude_from_schema", "hide_from_schema"})
_SCHEMAS = ("schema", "swagger_schema")
_SHOWING_ALL = frozenset({"fastapi", "django-ninja", "litestar", "Django REST framework"})
"""Frameworks whose descriptions show every route; of others, they show what is documented on purpose."""
_SHOWING_CLASSES = frozenset({"Django REST framework"})
"""Frameworks whose descriptions show the docstring of a view's class."""
_OUTLIERS = 3
"""Operations with words for each without, from which on those without are exceptions."""
_EXAMPLES = 5


def documented_operations(app: Application, project: Project) -> Iterator[DocumentedOperation]:
    """The operations that the description of the application shows."""
    for each in app.routes:
        route = each.route
        text = _text(route, project)
        if text is None and route.framework not in _SHOWING_ALL and not _is_documented(route):
            continue
        yield DocumentedOperation(
            name=f"{each.endpoint.method} {each.template.text}",
            handler=route.handler_name,
            location=route.location,
            role=each.endpoint.role,
            text=text,
            is_placeholder=text is not None and _PLACEHOLDER.fullmatch(text.text) is not None,
            excuse=_why_not(route, project) if text is None else None,
        )


def one_by_one_or_all(operations: Collection[DocumentedOperation], root: str) -> Iterator[DocumentedOperation]:
    """Each operation, where most have words; else those that are to have some as one."""
    shown = [o for o in operations if o.excuse is None]
    bare = sorted((o for o in shown if o.text is None), key=lambda o: o.location)
    if len(bare) == 1 or _OUTLIERS * len(bare) <= len(shown) - len(bare):
        yield from operations
        return
    yield from (o for o in operations if o.excuse is not None)
    yield DocumentedOperation(
        name=f"the operations of {root or 'the service'}",
        handler="",
        location=bare[0].location,
        role=bare[0].role,
        is_whole_api=True,
        bare=len(bare),
        total=len(shown),
        evidence=tuple(Evidence(o.location, o.name) for o in bare[:_EXAMPLES]),
    )


def _is_documented(route: Route) -> bool:
    """Whether a library knows the route by what it declares."""
    return bool(route.request_types or route.response_types or route.status_codes or route.tags)


def _why_not(route: Route, project: Project) -> str | None:
    if route.is_hidden or any(_hides(node) for node in _calls(route, project)):
        return "it is kept out of the description"
    if route.view_class is not None and any(_is_none(route.view_class, name, project) for name in _SCHEMAS):
        return "its view is kept out of the description"
    if route.handler is None:
        return "it is the library's own operation, and its name says all"
    view = _shown_class(route)
    bases = project.mro(view)[1:] if view is not None else ()
    if any(docstring(base) is not None for base in bases if isinstance(base, ClassSymbol)):
        return "its description is that of a base of its view"
    if route.framework == "Django REST framework" and _is_chosen_by_hook(project):
        return "a hook chooses which operations are shown"
    return None


def _text(route: Route, project: Project) -> Evidence | None:
    """The words, nearest first."""
    if route.summary:
        return Evidence(route.location, route.summary)
    own = docstring(route.handler) if route.handler is not None else None
    if own is not None:
        return own
    for call in _calls(route, project):
        if last_name(call.node.func if isinstance(call.node, form.Call) else call.node) in _DECORATORS:
            return call.module.evidence(call.node, "its description")
        for made in _made_through(call.node):
            stated = next((arg.value for arg in made.args if arg.name in _WORDS), None)
            if stated is not None:
                return call.module.evidence(stated, "its description")
    view = _shown_class(route)
    return docstring(view) if view is not None else None


def _shown_class(route: Route) -> ClassSymbol | None:
    """The view's class, where its docstring is shown."""
    return route.view_class if route.framework in _SHOWING_CLASSES else None


def _made_through(node: form.Expr | form.Stmt) -> Iterator[form.Call]:
    """The call, and those whose results it is made with: `method_decorator(doc(...), "get")`, `doc(...)(view)`.

    What is given by name describes a part: `responses=` and `parameters=` have descriptions of their own.
    """
    if isinstance(node, form.Attr):
        yield from _made_through(node.value)
    elif isinstance(node, form.Call) and last_name(node.func) not in _OF_PARTS:
        yield node
        for inside in (node.func, *node.positional):
            yield from _made_through(inside)


def docstring(symbol: FunctionSymbol | ClassSymbol) -> Evidence | None:
    """Where its docstring is, with the first line of it."""
    first = symbol.node.body[0] if symbol.node.body else None
    if not isinstance(first, form.ExprStmt) or not isinstance(first.value, form.Const):
        return None
    text = first.value.value
    line = text.strip().split("\n", 1)[0] if isinstance(text, str) else ""
    return symbol.module.evidence(first.value, line) if line else None


def _calls(route: Route, project: Project) -> Iterator[Sited]:
    """The registration, and the decorators of the handler and of its class."""
    yield from route.steps[-1:]
    if route.handler is not None:
        yield from (Sited(decorator, route.handler.outer) for decorator in route.handler.decorators)
    for cls in project.mro(route.view_class) if route.view_class is not None else ():
        if isinstance(cls, ClassSymbol):
            action = route.handler_name.rpartition(".")[2]
            about = (_about(decorator, action) for decorator in cls.node.decorators)
            yield from (Sited(decorator, cls.outer) for decorator in about if decorator is not None)


def _about(decorator: form.Expr, action: str) -> form.Expr | None:
    """What a class's decorator says of the action: `extend_schema_view(list=...)`, `method_decorator(..., "get")`."""
    if not isinstance(decorator, form.Call):
        return decorator
    match last_name(decorator.func):
        case "extend_schema_view":
            return decorator.keyword(action)
        case "method_decorator":
            name = decorator.argument(1, "name")
            return decorator if isinstance(name, form.Const) and name.value == action else None
    return decorator


def _hides(site: Sited) -> bool:
    call = site.node
    if last_name(call.func if isinstance(call, form.Call) else call) in _HIDERS:
        return True
    return isinstance(call, form.Call) and any(
        isinstance(arg.value, form.Const) and arg.value.value is _HIDING.get(arg.name or "") for arg in call.args
    )


def _is_none(cls: ClassSymbol, name: str, project: Project) -> bool:
    stated = project.class_attribute(cls, name)
    return stated is not None and isinstance(stated[0], form.Const) and stated[0].value is None


@remembered
def _is_chosen_by_hook(project: Project) -> bool:
    """drf-spectacular's `PREPROCESSING_HOOKS` may leave routes out
    (https://drf-spectacular.readthedocs.io/en/latest/settings.html).
    """
    for module in project.modules.values():
        for binding in module.scope.bindings.get("SPECTACULAR_SETTINGS", ()):
            nodes = list(form.walk(binding.value)) if binding.value is not None else []
            if any(isinstance(node, form.Const) and node.value == "PREPROCESSING_HOOKS" for node in nodes):
                return True
    return False
