"""CORS headers that code sets itself: `response.headers["Access-Control-Allow-Origin"] = origin`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from assay.scanner.configuration.production import Production
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.safeguards.options import option_of
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import How, Scope
from assay.scanner.linker.values import Literal
from assay.scanner.model.option import Option
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form
from assay.scanner.traffic.cors import FoundPolicy
from assay.scanner.traffic.origins import Origins

_ORIGIN = "access-control-allow-origin"
_CREDENTIALS = "access-control-allow-credentials"
_SETTING = ("set_header", "add_header", "append_header", "setdefault", "add", "set", "append")
_ANSWERS = (
    "Response", "JSONResponse", "HTMLResponse", "PlainTextResponse", "StreamingResponse", "FileResponse",
    "ORJSONResponse", "HttpResponse", "JsonResponse", "HTTPResponse", "make_response", "json_response",
    "json", "text", "html", "raw", "EventSourceResponse", "StreamResponse",
)  # fmt: skip
"""Calls that make an answer with `headers=`."""
_HOLDERS = ("headers", "response", "resp", "res", "rv", "reply", "answer", "r")
"""What the header is assigned on, by last name."""
_READING = frozenset({"get", "getlist", "get_header", "decode"})
_FOR_ALL = frozenset(
    {
        "after_request", "after_app_request", "middleware", "on_response", "set_default_headers", "process_response",
        "dispatch", "prepare", "__call__", "on_request", "hook", "on_response_prepare",
    }
)  # fmt: skip
"""Hooks and methods of middleware and base handlers, and the decorators that make hooks."""
_DEEPEST = 4


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
        for scope in dict.fromkeys(s for name in _HOLDERS for s in module.writes_by_name.get(name, ())):
            for name, value in _assigned(scope):
                yield name, value, scope
    for call, scope in project.calls_named(*_SETTING):
        positional = call.positional
        given = _header(positional[0]) if len(positional) > 1 else None
        if given is not None:
            yield given, positional[1], scope
    for call, scope in project.calls_named(*_ANSWERS):
        stated = call.keyword("headers") if call.args else None
        headers = project.infer(stated, scope) if isinstance(stated, form.Name | form.Dict) else None
        if isinstance(headers, Literal) and isinstance(headers.node, form.Dict):
            yield from ((name, item, headers.scope) for name, item in _listed(headers.node))


def _assigned(scope: Scope) -> Iterator[tuple[str, form.Expr]]:
    for node in form.walk_body(scope.body, into_definitions=False):
        if isinstance(node, form.Assign) and node.value is not None:
            for target in node.targets:
                name = _header(target.index) if isinstance(target, form.Subscript) else None
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
    is_star = any_origin.is_safe is False and not _is_echo(place, scope, project, _DEEPEST)
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
    if not _is_echo(node, scope, project, _DEEPEST):
        found = origins.option(node, scope)
        return found if found.is_safe is not None else Option(True, found.evidence)
    test = _test_of_origin(node, scope)
    if test is not None:
        return Option(True, (scope.module.evidence(test, "the origin is looked up first"),))
    return Option(False, (scope.module.evidence(node, "whatever origin asks is let in"),))


def _is_true(value: object) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() == "true")


def _is_echo(node: form.Expr, scope: Scope, project: Project, depth: int) -> bool:
    """Whether it is what the request's `Origin` header says, `*` or nothing where there is none."""
    if not depth:
        return False
    match node:
        case form.Boolean(values=values):
            return any(_is_echo(v, scope, project, depth - 1) for v in values)
        case form.Conditional(body=body, orelse=orelse):
            return any(_is_echo(v, scope, project, depth - 1) for v in (body, orelse))
        case form.Call(func=form.Attr(value=owner, attr=attr), args=args) if attr in _READING:
            if attr == "decode":
                return _is_echo(owner, scope, project, depth - 1)
            return bool(args) and _names_origin(args[0].value) and _is_of_request(owner)
        case form.Subscript(value=owner, index=index):
            return _names_origin(index) and _is_of_request(owner)
        case form.Attr(value=owner, attr="origin"):
            return (last_name(owner) or "") in ("request", "req", "headers")
        case form.Name(id=name):
            bindings = scope.lookup(name, node.start)
            if any(b.how is How.PARAMETER for b in bindings):
                return False
            return any(
                _is_echo(value, around, project, depth - 1) for value, around in definitions(node, scope, project)
            )
    return False


def _names_origin(node: form.Expr) -> bool:
    return isinstance(node, form.Const) and str(node.value).lower() in ("origin", "http_origin")


def _is_of_request(owner: form.Expr) -> bool:
    return (last_name(owner) or "").lower() in ("headers", "meta", "environ", "request", "req", "scope")


def _test_of_origin(node: form.Expr, scope: Scope) -> form.Expr | None:
    """A look-up, comparison or call that is given the origin: who passes it is known."""
    names = {part.id for part in form.walk(node) if isinstance(part, form.Name)}
    for part in form.walk_body(scope.body, into_definitions=False):
        test = part.test if isinstance(part, form.If | form.Conditional) else None
        for inner in form.walk(test) if test is not None else ():
            if (
                isinstance(inner, form.Compare)
                and set(inner.ops) & {"in", "not in", "==", "!="}
                and _mentions(inner, names)
            ):
                return inner
            if isinstance(inner, form.Call) and any(_mentions(a.value, names) for a in inner.args):
                return inner
    return None


def _mentions(node: form.Expr, names: set[str]) -> bool:
    return any(
        (isinstance(part, form.Name) and part.id in names) or (isinstance(part, form.Const) and _names_origin(part))
        for part in form.walk(node)
    )
