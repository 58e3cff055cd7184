"""Where the code writes a part of a path: in the call that registers a route, or in one that includes its router."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.framework import Route
from assay.scanner.linker.scopes import Module
from assay.scanner.model.place import Location
from assay.scanner.readers.python import form


class Places:
    """Finds segments of paths in the code; what a module writes is gone through once."""

    def __init__(self) -> None:
        self._written: dict[Module, dict[str, Location]] = {}

    def of_segment(self, segment: str, route: Route) -> Location:
        """Where the segment is written; the route's own place where a loop, a setting or a class makes it."""
        for step in reversed(route.steps):
            for node in form.walk(step.node):
                if segment in _segments(node):
                    return step.module.location(node)
        for module in dict.fromkeys(step.module for step in reversed(route.steps)):
            if module not in self._written:
                self._written[module] = _in_module(module)
            if segment in self._written[module]:
                return self._written[module][segment]
        return route.location

    def of_path(self, route: Route, statics: Iterable[str]) -> Location:
        """The call that registers the route; where that is a helper of the project, what its callers give to it."""
        own = route.steps[-1].node if route.steps else None
        path = own.args[0] if isinstance(own, form.Call) and own.args else None
        last = next(iter(reversed(list(statics))), None)
        if last is None or path is None or not (path.star or isinstance(path.value, form.Name)):
            return registered_at(route)
        return self.of_segment(last, route)


def _in_module(module: Module) -> dict[str, Location]:
    """Each segment that is given to a call, with its first place."""
    found: dict[str, form.Expr] = {}
    for call, _ in module.calls:
        for argument in call.args:
            for segment in _segments(argument.value):
                found.setdefault(segment, argument.value)
    return {segment: module.location(node) for segment, node in found.items()}


def registered_at(route: Route) -> Location:
    """The call that registers the route's own path; else where its handler is."""
    if not route.steps:
        return route.location
    own = route.steps[-1]
    return own.module.location(own.node)


def _segments(node: form.Expr | form.Stmt) -> list[str]:
    texts: list[str] = []
    if isinstance(node, form.Const) and isinstance(node.value, str):
        texts = [node.value]
    elif isinstance(node, form.Template):
        texts = [part for part in node.parts if isinstance(part, str)]
    return [s.strip("^$") for text in texts for s in text.split("/") if s]
