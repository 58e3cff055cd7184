"""Parameters of handlers and dependencies that a framework fills from the path or the query string."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.dataflow.constants import string_value
from assay.scanner.dataflow.sources import injection, path_parameters
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form

_BY_SIGNATURE = frozenset({"fastapi", "litestar", "ninja", "django-ninja"})
"""Frameworks that take plain parameters of a handler from the query string."""
_IN_QUERY = frozenset({"Query"})
_ELSEWHERE = frozenset({"Header", "Cookie", "Form", "Body", "File", "Path", "Depends", "Security"})
Filled = tuple[str, form.Param, FunctionSymbol, bool]
"""A part of the URL, the parameter that it fills, and whether it is in the path."""


class QueryParameters:
    """Those of one project, whose handlers have these routes."""

    def __init__(self, project: Project, handlers: Mapping[FunctionSymbol, Sequence[Route]]) -> None:
        self._project = project
        self._handlers = handlers

    def all(self) -> Iterator[Filled]:
        """By function; of a model that stands for several parts, each of them."""
        modules = dict.fromkeys(scope.module for _, scope in self._project.calls_named(*_IN_QUERY))
        marked = [function for module in modules for function in module.functions]
        for function in dict.fromkeys((*self._handlers, *marked)):
            routes = self._handlers.get(function, [])
            is_bound = any(route.framework.lower() in _BY_SIGNATURE for route in routes)
            in_path = {name for route in routes for name in path_parameters(route.path)}
            for param in function.parameters:
                if param.name in in_path:
                    yield param.name, param, function, True
                else:
                    names = self._names_in_query(param, function, is_bound=is_bound)
                    yield from ((name, param, function, False) for name in names)

    def _names_in_query(self, param: form.Param, function: FunctionSymbol, *, is_bound: bool) -> list[str]:
        """The parts of the query string that fill the parameter: one, or those of a model that stands for them."""
        if is_bound and (model := self._model_of_query(param, function)) is not None:
            return list(model.scope.bindings)
        if not self._is_in_query(param, function, is_bound=is_bound):
            return []
        stated = (n for part in (param.default, param.annotation) if part is not None for n in form.walk(part))
        aliases = (n.keyword("alias") for n in stated if isinstance(n, form.Call) and last_name(n.func) in _IN_QUERY)
        alias = next((a for a in aliases if a is not None), None)
        name = string_value(alias, function.outer, self._project) if alias is not None else None
        return [name or param.name]

    def _model_of_query(self, param: form.Param, function: FunctionSymbol) -> ClassSymbol | None:
        """The model whose fields the query string fills: `filters: Filters = Depends()`."""
        stated = [node for node in (param.default, param.annotation) if node is not None]
        calls = [n for node in stated for n in form.walk(node) if isinstance(n, form.Call)]
        is_filled = any(
            last_name(c.func) in _IN_QUERY or (last_name(c.func) == "Depends" and not c.args) for c in calls
        )
        if not is_filled or param.annotation is None:
            return None
        cls = self._project.annotation_class(param.annotation, function.outer)
        return cls if isinstance(cls, ClassSymbol) and self._project.is_subclass(cls, "pydantic.BaseModel") else None

    def _is_in_query(self, param: form.Param, function: FunctionSymbol, *, is_bound: bool) -> bool:
        stated = [node for node in (param.default, param.annotation) if node is not None]
        calls = {last_name(n.func) for node in stated for n in form.walk(node) if isinstance(n, form.Call)}
        if calls & _IN_QUERY:
            return True
        if not is_bound or calls & _ELSEWHERE or param.annotation is None:
            return False
        if any(injection(node, function.outer, self._project) is not None for node in stated):
            return False
        declared = self._project.annotation_class(param.annotation, function.outer)
        return isinstance(declared, External) and declared.name == "builtins.str"
