"""Whether what is kept for whoever comes next hangs on something that its key lacks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.caching.inline import kept_by_hand, kept_by_helpers
from assay.scanner.caching.kept import Kept, kept_by_libraries, kept_in_memory
from assay.scanner.caching.operations import CacheCall
from assay.scanner.caching.request_inputs import is_scalar
from assay.scanner.caching.results import Result, Results, joined
from assay.scanner.caching.views import result_of_view
from assay.scanner.caching.wrappers import kept_by_wrappers
from assay.scanner.dataflow.lookups.labels import injected
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.sources import path_parameters
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.model.cached_result import PRIVATE, CachedResult, Input, InputKind
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role

_BY_SIGNATURE = frozenset({"fastapi", "litestar", "ninja", "django-ninja"})
_NEAR = 1
"""Calls between what is kept and what it surely hangs on: further away, arguments decide whether it is asked at all."""
_READS = frozenset({"GET", "HEAD", "ANY"})


def cached_results(calls: list[CacheCall], results: Results, gathered: Gathered) -> Iterator[CachedResult]:
    """All that the production code keeps."""
    project = gathered.project
    ordinals = Ordinals()
    served = _Served(gathered.endpoints)
    kept = [*kept_by_libraries(calls, results, project), *kept_by_wrappers(calls, results, project)]
    kept += kept_in_memory(results, project)
    for entry in kept:
        hangs_on = _result(entry, results, served, project)
        yield _judged(entry, hangs_on, _skipped(entry, served), ordinals)
    by_hand = [*kept_by_hand(calls, results, project), *kept_by_helpers(calls, results, project)]
    for entry, hangs_on in by_hand:
        inputs = _of_parameters(entry, hangs_on, results, served, project)
        beside = result_of_view(entry, results, project)
        yield _judged(entry, joined([hangs_on, Result(tuple(inputs)), beside]), (), ordinals)


def _judged(entry: Kept, hangs_on: Result, skipped: tuple[Evidence, ...], ordinals: Ordinals) -> CachedResult:
    owner = entry.function or entry.view
    name = owner.id if owner is not None else entry.scope.module.name
    found = CachedResult(
        name,
        entry.what,
        ordinals.next(name, entry.what),
        entry.scope.module.location(entry.call),
        entry.scope.module.role,
        entry.key.said,
        late=entry.late,
    )
    lacking = _once(i for i in hangs_on.inputs if not entry.key.holds(i))
    held = _once(i for i in hangs_on.inputs if entry.key.holds(i) and i.kind is not InputKind.PATH)
    says_who = entry.key.says_who
    if not entry.key.is_known and lacking:
        question = f"is {lacking[0].described} in {entry.key.said}?"
        return replace(found, doubts=tuple(i.evidence for i in lacking), question=question)
    far = tuple(i for i in lacking if i.calls > _NEAR or _tells_clients(i))
    if far and len(far) == len(lacking) and (says_who or not skipped):
        question = f"does the result hang on {far[0].described}, which is read on the way to it?"
        return replace(found, held=held, doubts=tuple(i.evidence for i in far), question=question)
    lacking = tuple(i for i in lacking if i not in far)
    if not says_who:
        found = replace(found, skipped=skipped)
        if hangs_on.templates:
            question = "does this page show anything of whoever asks: a name, messages, a form's token?"
            found = replace(found, doubts=hangs_on.templates, question=question)
    return replace(found, lacking=lacking, held=held)


def _tells_clients(found: Input) -> bool:
    """Whether it says what asks, and not who: mostly, only strange clients are turned away by it."""
    return found.kind is InputKind.ADDRESS or (found.name or "").endswith("-agent")


def _once(inputs: Iterable[Input]) -> tuple[Input, ...]:
    """Each place once; what tells callers apart first."""
    unique = {i.evidence.location: i for i in inputs}
    return tuple(sorted(unique.values(), key=lambda i: (i.kind not in PRIVATE, i.evidence.location)))


class _Served:
    """Routes and endpoints by what answers them."""

    def __init__(self, endpoints: Iterable[tuple[Route, Endpoint]]) -> None:
        self._by_function: dict[FunctionSymbol, list[tuple[Route, Endpoint]]] = {}
        self._by_view: dict[ClassSymbol, list[tuple[Route, Endpoint]]] = {}
        for route, endpoint in endpoints:
            if route.handler is not None:
                self._by_function.setdefault(route.handler, []).append((route, endpoint))
            if route.view_class is not None:
                self._by_view.setdefault(route.view_class, []).append((route, endpoint))

    def of(self, entry: Kept) -> list[tuple[Route, Endpoint]]:
        found = self._by_function.get(entry.function, []) if entry.function is not None else []
        if entry.view is not None and (entry.is_whole_view or not found):
            found = [*found, *self._by_view.get(entry.view, [])]
        return found

    def of_function(self, function: FunctionSymbol) -> list[tuple[Route, Endpoint]]:
        return self._by_function.get(function, [])


# --- what it hangs on -------------------------------------------------------------------------------------------------


def _result(entry: Kept, results: Results, served: _Served, project: Project) -> Result:
    parts: list[Result] = []
    function = entry.function
    if function is not None:
        own = results.of_function(function)
        parts += [own, Result(tuple(_of_parameters(entry, own, results, served, project)))]
    return joined([*parts, result_of_view(entry, results, project)])


def _of_parameters(entry: Kept, result: Result, results: Results, served: _Served, project: Project) -> Iterator[Input]:
    """What is brought in by parameters: of a handler by what the framework fills them with, else by its callers."""
    function = entry.function
    if function is None:
        return
    routes = [route for route, _ in served.of_function(function)]
    in_path = frozenset(name for route in routes for name in path_parameters(route.path))
    by_signature = any(route.framework.lower() in _BY_SIGNATURE for route in routes)
    for param in function.parameters:
        if param.name not in result.parameters:
            continue
        if by_signature:
            known = results.requests.of_parameter(function, param, in_path)
            if known is not None:
                yield known
                continue
            for filled, provider in injected(function, project):
                callee = project.infer(provider.node, provider.scope) if filled is param else None
                if isinstance(callee, FunctionSymbol):
                    yield from (replace(i, via=param.name) for i in results.of_function(callee).inputs)
        elif param.name not in in_path and results.requests.is_caller(function, param):
            evidence = Evidence(function.module.location(param), f"`{param.name}`, which a decorator fills")
            yield Input(InputKind.USER, evidence, param.name, param.name)
        elif param.name in in_path or (not routes and is_scalar(param)):
            evidence = Evidence(function.module.location(param), f"`{param.name}`")
            yield Input(InputKind.ARGUMENT, evidence, param.name, param.name)
        elif not routes and results.requests.is_given_caller(function, param):
            evidence = Evidence(function.module.location(param), f"`{param.name}`")
            # Another parameter that is in the key may say who it is.
            yield Input(
                InputKind.USER, evidence, param.name, param.name, calls=_NEAR + 1 if entry.key.parameters else 0
            )


# --- what a hit skips -------------------------------------------------------------------------------------------------


def _skipped(entry: Kept, served: _Served) -> tuple[Evidence, ...]:
    """Checks of callers that stand inside of the cache, and so run on a miss alone."""
    module = entry.scope.module
    inner = [module.location(node) for node in entry.inner]
    inner_lines = {(i.path, i.line) for i in inner}
    found: dict[Evidence, None] = {}
    for _, endpoint in served.of(entry):
        if endpoint.method not in _READS or endpoint.role is not Role.PROD:
            continue
        for guard in endpoint.guards:
            at = guard.location
            is_inner = (at.path, at.line) in inner_lines
            is_of_view = entry.is_whole_view and not _is_around(at, entry) and not _is_middleware(guard)
            if is_inner or is_of_view:
                found[guard] = None
    return tuple(found)


def _is_around(at: Location, entry: Kept) -> bool:
    """Whether a guard is applied to what the cache gives: `login_required(cache_page(60)(view))`."""
    own = entry.scope.module.location(entry.call)
    return at.path == own.path and at.line <= own.line <= at.end_line


def _is_middleware(guard: Evidence) -> bool:
    return "middleware" in guard.text.lower() or "middleware" in guard.location.path
