"""Ready-made views, apps and routers: what a library gives a project to mount in its web framework."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from assay.scanner.framework import frameworks
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.linker.values import External, Instance, Value

_AS_VIEW = ".as_view"


@dataclass(frozen=True, slots=True)
class ReadyMade:
    """A class or function of a library, or a project's subclass of it, by name.

    `methods` are those that it declares; `is_graphql` says whether what it serves is a GraphQL schema.
    """

    name: str
    methods: tuple[str, ...]
    is_graphql: bool


def ready_made_view(value: Value | None, project: Project) -> ReadyMade | None:
    """The library's view or app that a class, an object or what `as_view()` gives is one of."""
    return _among(_views(), value, project)


def ready_made_router(value: Value | None, project: Project) -> ReadyMade | None:
    """The library's router that a class or an object is one of."""
    return _among(_routers(), value, project)


def router_names() -> frozenset[str]:
    """The dotted names of all routers that libraries bring."""
    return frozenset(_routers())


@cache
def _views() -> Mapping[str, ReadyMade]:
    return {n: ReadyMade(n, methods, f.schema is not None) for f in frameworks() for n, methods in f.views.items()}


@cache
def _routers() -> Mapping[str, ReadyMade]:
    return {n: ReadyMade(n, methods, f.schema is not None) for f in frameworks() for n, methods in f.routers.items()}


def _among(known: Mapping[str, ReadyMade], value: Value | None, project: Project) -> ReadyMade | None:
    cls = value.cls if isinstance(value, Instance) else value
    if isinstance(cls, ClassSymbol):
        base = next((known[name] for name in project.base_names(cls) if name in known), None)
        return replace(base, name=cls.id) if base is not None else None
    name = value.type_name if isinstance(value, Instance) else value.name if isinstance(value, External) else ""
    return known.get(name.removesuffix(_AS_VIEW))
