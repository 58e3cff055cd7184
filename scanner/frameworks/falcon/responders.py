"""Falcon's responders: what they put into the response, which they don't return."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from assay.scanner.dataflow.constants import string_value
from assay.scanner.framework import Sited
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.endpoint import EndpointKind
from assay.scanner.readers.python import form
from assay.scanner.web.answers import handed_on, kind_of_answers

_BODIES = ("media", "text", "body", "data")
_KINDS = {"dumps": EndpointKind.JSON, **dict.fromkeys(("render", "render_template"), EndpointKind.HTML)}
_DEEPEST = 2
"""Helpers of the project that the response is handed on to."""


class Answer:
    """What one responder makes of its second parameter, the response."""

    def __init__(self, responder: FunctionSymbol, project: Project) -> None:
        self._responder = responder
        self._project = project
        self._assigned = list(_assigned(responder, 1, project, _DEEPEST))

    @cached_property
    def bodies(self) -> list[Sited]:
        """The expressions that the body is made of."""
        return [value for attribute, value in self._assigned if attribute in _BODIES]

    @cached_property
    def kind(self) -> EndpointKind | None:
        attributes = {attribute for attribute, _ in self._assigned}
        if any(attribute == "content_type" and self._is_html(value) for attribute, value in self._assigned):
            return EndpointKind.HTML
        if "media" in attributes:
            return EndpointKind.JSON
        if "stream" in attributes:
            return EndpointKind.STREAM
        return kind_of_answers(self.bodies, self._project, _KINDS)

    def _is_html(self, value: Sited) -> bool:
        text = string_value(value.node, value.scope, self._project) or last_name(value.node) or ""
        return "html" in text.lower()


def _assigned(function: FunctionSymbol, index: int, project: Project, depth: int) -> Iterator[tuple[str, Sited]]:
    """The attributes that are set on a parameter, with the values: also in helpers that it is handed on to."""
    if index >= len(function.parameters) or not depth:
        return
    response = function.parameters[index].name
    for node in function.walk():
        if isinstance(node, form.Assign) and node.value is not None:
            for target in node.targets:
                if isinstance(target, form.Attr) and form.dotted(target.value) == response:
                    yield target.attr, Sited(node.value, function.scope)
        elif isinstance(node, form.Call):
            yield from _assigned_by_helper(node, response, function, project, depth)


def _assigned_by_helper(
    call: form.Call, response: str, function: FunctionSymbol, project: Project, depth: int
) -> Iterator[tuple[str, Sited]]:
    """The arguments that a helper puts into the response, which it is given beside them."""
    if all(form.dotted(arg.value) != response for arg in call.args):
        return
    helper = project.callee_function(call, function.scope)
    for index, param in enumerate(helper.parameters if helper is not None else ()):
        argument = project.bound_argument(call, helper, param) if helper is not None else None
        if helper is None or argument is None or form.dotted(argument) != response:
            continue
        for attribute, value in _assigned(helper, index, project, depth - 1):
            yield from ((attribute, seen) for seen in handed_on(call, function.scope, helper, [value], project))
