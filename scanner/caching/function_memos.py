"""Functions that `functools` keeps the results of, as long as the process runs, and that give what they fetched."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.caching.fetches import Fetches
from assay.scanner.caching.memos import is_row_key
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.linker.values import External
from assay.scanner.model.caching import CacheEntry, Lifetime
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_KEEPING = frozenset({"functools.lru_cache", "functools.cache", "async_lru.alru_cache"})
_PACKAGES = frozenset({"functools", "async_lru"})
_TIMES = frozenset("ttl time hash epoch bucket minute hour day date today now age version etag revision".split())
"""Words of parameters that change as time goes by, or with what is kept: a new one asks anew."""
_PASSING = frozenset("session request db conn connection cursor transaction tx context ctx".split())
"""Words of parameters that are others for each request: nothing outlasts it."""


def function_memos(fetches: Fetches, gathered: Gathered) -> Iterator[CacheEntry]:
    """In order of path and position."""
    ordinals = Ordinals()
    for function, decorator in _kept(gathered.project):
        made = _given_back(function, fetches)
        if made is None or _has_time(decorator) or _is_keyed_anew(function):
            continue
        module = function.module
        dropped = _dropped(function, gathered.project)
        kept = module.evidence(decorator, "this keeps it as long as the process runs")
        yield CacheEntry(
            function.id,
            "functools",
            ordinals.next(function.id, "functools"),
            module.location(decorator),
            module.role,
            Lifetime.FOREVER,
            # What is read once, or kept for a few, is often meant to be: then it is asked about.
            bool(function.parameters) and _is_unbounded(decorator),
            (kept, made),
            dropped,
        )


def _kept(project: Project) -> Iterator[tuple[FunctionSymbol, form.Expr]]:
    """Functions, and methods that don't keep results for each object."""
    for module in project.modules.values():
        if module.role is not Role.PROD or module.imported_packages.isdisjoint(_PACKAGES):
            continue
        for function in module.functions:
            for node in function.decorators:
                named = project.infer(node.func if isinstance(node, form.Call) else node, function.outer)
                is_keeping = isinstance(named, External) and named.name in _KEEPING
                if is_keeping and not _is_of_object(function) and offline_reason(function.scope) is None:
                    yield function, node


def _is_of_object(function: FunctionSymbol) -> bool:
    names = {form.dotted(node) for node in function.decorators}
    return function.owner is not None and names.isdisjoint({"staticmethod", "classmethod"})


def _is_unbounded(decorator: form.Expr) -> bool:
    if not isinstance(decorator, form.Call):
        return last_name(decorator) == "cache"
    size = decorator.argument(0, "maxsize")
    return isinstance(size, form.Const) and size.value is None


def _has_time(decorator: form.Expr) -> bool:
    return isinstance(decorator, form.Call) and decorator.keyword("ttl") is not None


def _is_keyed_anew(function: FunctionSymbol) -> bool:
    return any(not (_TIMES | _PASSING).isdisjoint(words(p.name)) for p in function.parameters)


def _given_back(function: FunctionSymbol, fetches: Fetches) -> Evidence | None:
    """Where what the function gives back is fetched, if it is what was fetched and not something made for it."""
    made: dict[str, Evidence] = {}

    def source(node: form.Expr) -> Evidence | None:
        for inner in form.walk(node):
            if isinstance(inner, form.Name) and inner.id in made:
                return made[inner.id]
            if isinstance(inner, form.Call) and (found := fetches.among([inner], function.scope)) is not None:
                return found
        return None

    for node in function.nodes:
        if isinstance(node, form.Assign) and node.value is not None and (found := source(node.value)) is not None:
            made.update((n.id, found) for t in node.targets for n in form.walk(t) if isinstance(n, form.Name))
    for returned in function.returns:
        if returned.value is not None and not is_row_key(returned.value):
            found = source(returned.value)
            if found is not None:
                return found
    return None


def _dropped(function: FunctionSymbol, project: Project) -> tuple[Evidence, ...]:
    """`function.cache_clear()`."""
    for call, scope in project.calls_named("cache_clear", "cache_invalidate"):
        owner = call.func.value if isinstance(call.func, form.Attr) else None
        if owner is not None and scope.module.role is not Role.TEST and project.infer(owner, scope) is function:
            return (scope.module.evidence(call, "this drops what it kept"),)
    return ()
