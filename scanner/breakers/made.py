"""Every place that makes a circuit breaker.

https://github.com/danielfm/pybreaker, https://github.com/fabfuel/circuitbreaker,
https://github.com/arlyon/aiobreaker, https://mardiros.github.io/purgatory/
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.readers.python import form
from assay.scanner.web.registrations import decorations

MAKERS: Mapping[str, str] = {
    "pybreaker.CircuitBreaker": "pybreaker",
    "aiobreaker.CircuitBreaker": "aiobreaker",
    "aiobreaker.circuitbreaker.CircuitBreaker": "aiobreaker",
    "circuitbreaker.CircuitBreaker": "circuitbreaker",
    "circuitbreaker.circuit": "circuitbreaker",
    "purgatory.AsyncCircuitBreakerFactory": "purgatory",
    "purgatory.SyncCircuitBreakerFactory": "purgatory",
}
"""What makes one, and whose it is."""
_NAMES = ("CircuitBreaker", "circuit", "AsyncCircuitBreakerFactory", "SyncCircuitBreakerFactory")
PACKAGES = frozenset(MAKERS.values())
OWN = "the project"
_OTHERS = frozenset({"state", "error", "exception", "config", "settings", "storage", "metrics"})
"""Words of classes that only have to do with breakers."""
_LONGEST = 20
"""Characters of a text that may name a state."""


@dataclass(frozen=True, slots=True, eq=False)
class Made:
    """A breaker that `call` makes; `protected` is the function that it stands on as a decorator."""

    library: str
    call: form.Call
    scope: Scope
    protected: FunctionSymbol | None = None


def made_breakers(project: Project) -> list[Made]:
    """In order of place."""
    own = _own_classes(project)
    if not own and project.imported_packages.isdisjoint(PACKAGES):
        return []
    standing = {
        id(found.call): found
        for found in decorations(project)
        if isinstance(found.handler, FunctionSymbol) and _library(found.call, found.scope, project, own) is not None
    }
    found = [
        Made(_library(f.call, f.scope, project, own) or "", f.call, f.scope, f.handler)
        for f in standing.values()
        if isinstance(f.handler, FunctionSymbol)
    ]
    names = {*_NAMES, *(alias for name in _NAMES for alias in project.aliases_of(name)), *(cls.name for cls in own)}
    for call, scope in project.calls_named(*sorted(names)):
        library = _library(call, scope, project, own)
        if library is not None and id(call) not in standing:
            found.append(Made(library, call, scope))
    return sorted(found, key=lambda made: (made.scope.module.path, made.call.start))


def _library(call: form.Call, scope: Scope, project: Project, own: Mapping[ClassSymbol, str]) -> str | None:
    match project.infer(call.func, scope):
        case External(name=name):
            return MAKERS.get(name)
        case ClassSymbol() as cls:
            return own.get(cls)
    return None


def _own_classes(project: Project) -> dict[ClassSymbol, str]:
    """Subclasses of a library's breaker, and classes named so that know the three states."""
    return {cls: library for cls in project.classes if (library := _of_class(cls, project)) is not None}


def _of_class(cls: ClassSymbol, project: Project) -> str | None:
    if cls.node.bases and not cls.module.imported_packages.isdisjoint(PACKAGES):
        known = next((MAKERS[base] for base in sorted(project.base_names(cls)) if base in MAKERS), None)
        if known is not None:
            return known
    parts = words(cls.name)
    if "breaker" not in parts or not _OTHERS.isdisjoint(parts):
        return None
    return OWN if any("half" in said and "open" in said for said in _said_in(cls)) else None


def _said_in(cls: ClassSymbol) -> Iterator[tuple[str, ...]]:
    """The words of each name and short text in it."""
    for node in form.walk(cls.node):
        if isinstance(node, form.Name | form.Attr):
            yield words(last_name(node) or "")
        elif isinstance(node, form.Const) and isinstance(node.value, str) and len(node.value) < _LONGEST:
            yield words(node.value)
