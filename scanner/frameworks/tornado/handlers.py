"""Tornado's handlers: what they answer with, which they write and don't return, and what guards them
(https://www.tornadoweb.org/en/stable/guide/security.html#user-authentication).
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.dataflow.asked import Asked
from assay.scanner.dataflow.refusals.strangers import refusal_of_strangers
from assay.scanner.framework import Guard, Sited
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.answers import handed_on, kind_of_answers
from assay.scanner.web.guards import decorator_guards, own_check

VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
STATIC_FILES = frozenset({"tornado.web.StaticFileHandler"})
SOCKETS = frozenset({"tornado.websocket.WebSocketHandler"})
_GUARDS = frozenset({"tornado.web.authenticated"})
_WRITING = ("write", "finish")
_KINDS = {"dumps": EndpointKind.JSON, "json_encode": EndpointKind.JSON, "render_string": EndpointKind.HTML}
_DEEPEST = 2
"""Helpers of the handler's classes that write for it."""


def answers_of(method: FunctionSymbol, project: Project, depth: int = _DEEPEST) -> tuple[Sited, ...]:
    """What a method writes, itself or through the helpers that it calls on itself."""
    found: list[Sited] = []
    for call in _calls_on_self(method):
        helper = project.callee_function(call, method.scope)
        if helper is not None and depth:
            found += handed_on(call, method.scope, helper, answers_of(helper, project, depth - 1), project)
        elif isinstance(call.func, form.Attr) and call.func.attr in _WRITING and call.positional:
            found.append(Sited(call.positional[0], method.scope))
    return tuple(found)


def kind_of(method: FunctionSymbol, answers: tuple[Sited, ...], project: Project) -> EndpointKind | None:
    """A page where the method renders a template, else what its answers are."""
    if any(isinstance(call.func, form.Attr) and call.func.attr == "render" for call in _calls_on_self(method)):
        return EndpointKind.HTML
    return kind_of_answers(answers, project, _KINDS)


def guards_of(cls: ClassSymbol, method: FunctionSymbol | None, asked: Asked, project: Project) -> Iterator[Guard]:
    """What `prepare` turns away, which runs before every method; decorators and checks of the method."""
    prepare = project.method(cls, "prepare")
    if prepare is not None:
        refused = refusal_of_strangers(prepare, project, asked)
        if refused is not None:
            yield Guard("prepare", refused)
        yield from decorator_guards(prepare.decorators, prepare.outer, project, _GUARDS)
    if method is not None:
        yield from decorator_guards(method.decorators, method.outer, project, _GUARDS)
        yield from own_check(method, project)


def _calls_on_self(method: FunctionSymbol) -> Iterator[form.Call]:
    this = method.node.params[0].name if method.node.params else ""
    for node in method.walk():
        if isinstance(node, form.Call) and isinstance(node.func, form.Attr) and form.dotted(node.func.value) == this:
            yield node
