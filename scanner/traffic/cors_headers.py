"""CORS headers that code sets itself: `response.headers["Access-Control-Allow-Origin"] = origin`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import Literal
from assay.scanner.model.option import Option
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.traffic.cors import FoundPolicy
from assay.scanner.traffic.origin_echoes import is_echo, test_of_origin
from assay.scanner.traffic.origins import Origins

_ORIGIN = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"
_ATTRIBUTES = {"access_control_allow_origin": _ORIGIN, "access_control_allow_credentials": _CREDENTIALS}
"""What Werkzeug's responses call them."""
_SETTING = ("set_header", "add_header", "append_header", "setdefault", "add", "set", "append")
_MERGING = ("update", "extend")
_ANSWERS = (
    "Response", "JSONResponse", "HTMLResponse", "PlainTextResponse", "StreamingResponse", "FileResponse",
    "ORJSONResponse", "HttpResponse", "JsonResponse", "HTTPResponse", "make_response", "json_response",
    "json", "text", "html", "raw", "EventSourceResponse", "StreamResponse",
)  # fmt: skip
"""Calls that make an answer with `headers=`."""
_HOLDERS = ("headers", "response", "resp", "res", "rv", "reply", "answer", "r")
"""What the header is assigned on, by last name."""
_FOR_ALL = frozenset(
    {
        "after_request", "after_app_request", "middleware", "on_response", "set_default_headers", "process_response",
        "dispatch", "prepare", "__call__", "on_request", "hook", "on_response_prepare",
    }
)  # fmt: skip
"""Hooks and methods of middleware and base handlers, and the decorators that make hooks."""


@dataclass(slots=True)
class _Answer:
    """What one function says in its headers."""

    origins: list[form.Expr] = field(default_factory=list)
    credentials: list[form.Expr] = field(default_factory=list)


def set_by_hand(project: Project, production: Production, origins: Origins) -> Iterator[FoundPolicy]:
    """One policy for each function that sets the header."""
    answers: dict[Scope, _Answer] = {}
    for name, value, scope in _headers(project):
        if scope.module.role is Role.TEST:
            continue
        answer = answers.setdefault(scope, _Answer())
        found = answer.origins if name == _ORIGIN else answer.credentials
        if value not in found:
            found.append(value)
    for scope, answer in answers.items():
        if answer.origins:
            yield _policy(scope, answer, production, origins, project)


def _headers(project: Project) -> Iterator[tuple[str, form.Expr, Scope]]:
    """Each header about origins or credentials, with its value."""
    for module in project.modules.values():
        names = (*_HOLDERS, *_ATTRIBUTES)
        for scope in dict.fromkeys(s for name in names for s in module.writes_by_name.get(name, ())):
            for name, value in _assigned(scope):
                yield name, value, scope
    for call, scope in project.calls_named(*_SETTING):
        positional = call.positional
        given = _header(positional[0]) if len(positional) > 1 else None
        if given is not None:
            yield given, positional[1], scope
    for call, scope in project.calls_named(*_MERGING):
        if isinstance(call.func, form.Attr) and last_name(call.func.value) in _HOLDERS:
            yield from _in_dict(next(iter(call.positional), None), scope, project)
    for call, scope in project.calls_named(*_ANSWERS):
        yield from _in_dict(call.keyword("headers") if call.args else None, scope, project)


def _in_dict(stated: form.Expr | None, scope: Scope, project: Project) -> Iterator[tuple[str, form.Expr, Scope]]:
    headers = project.infer(stated, scope) if isinstance(stated, form.Name | form.Dict) else None
    if isinstance(headers, Literal) and isinstance(headers.node, form.Dict):
        yield from ((name, item, headers.scope) for name, item in _listed(headers.node))


def _assigned(scope: Scope) -> Iterator[tuple[str, form.Expr]]:
    for node in form.walk_body(scope.body, into_definitions=False):
        if isinstance(node, form.Assign) and node.value is not None:
            for target in node.targets:
                name = _header(target.index) if isinstance(target, form.Subscript) else None
                name = _ATTRIBUTES.get(target.attr) if isinstance(target, form.Attr) else name
                if name is not None:
                    yield name, node.value


def _listed(headers: form.Dict) -> Iterator[tuple[str, form.Expr]]:
    for key, item in zip(headers.keys, headers.values, strict=True):
        name = _header(key) if key is not None else None
        if name is not None:
            yield name, item


def _header(node: form.Expr) -> str | None:
    text = node.value.lower() if isinstance(node, form.Const) and isinstance(node.value, str) else None
    return text if text in (_ORIGIN, _CREDENTIALS) else None


def _policy(scope: Scope, answer: _Answer, production: Production, origins: Origins, project: Project) -> FoundPolicy:
    options = [_any_origin(node, scope, origins, project) for node in answer.origins]
    any_origin = next(
        iter([*(o for o in options if o.is_safe is False), *(o for o in options if o.is_safe is None), *options])
    )
    place = answer.origins[options.index(any_origin)]
    is_star = any_origin.is_safe is False and not is_echo(place, scope, project)
    found = [m for node in answer.credentials for m in production.meanings(node, scope)]
    credentials = option_of(found, _is_true) if found else Option(True)
    if credentials.is_safe is False:
        shown = scope.module.evidence(answer.credentials[0], "browsers send cookies along")
        credentials = Option(False, (shown,), credentials.is_default)
    return FoundPolicy(
        "CORS header", place, scope, any_origin, credentials, is_star, is_for_all=_answers_for_all(scope)
    )


def _answers_for_all(scope: Scope) -> bool:
    """Whether it is a hook or a middleware, and not the answer of one handler."""
    function = scope.function
    if function is None or function.name in _FOR_ALL:
        return True
    return any(last_name(d.func if isinstance(d, form.Call) else d) in _FOR_ALL for d in function.decorators)


def _any_origin(node: form.Expr, scope: Scope, origins: Origins, project: Project) -> Option:
    if not is_echo(node, scope, project):
        found = origins.option(node, scope)
        return found if found.is_safe is not None else Option(True, found.evidence)
    test = test_of_origin(node, scope)
    if test is not None:
        return Option(True, (scope.module.evidence(test, "the origin is looked up first"),))
    return Option(False, (scope.module.evidence(node, "whatever origin asks is let in"),))


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")
