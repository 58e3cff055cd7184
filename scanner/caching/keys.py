"""Copies of rows under their keys: which rows they are made of, who changes these, and what drops the copies then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from assay.scanner.caching.drops import Drop, Drops
from assay.scanner.caching.durations import seconds_of
from assay.scanner.caching.inline import kept_by_hand
from assay.scanner.caching.kept import Kept, kept_by_libraries
from assay.scanner.caching.lifetimes import Lifetimes
from assay.scanner.caching.operations import CacheCall
from assay.scanner.caching.results import Result, Results
from assay.scanner.caching.stores import Backend
from assay.scanner.caching.views import result_of_view
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.framework import Route
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol, Module
from assay.scanner.model.cached_data import CachedData
from assay.scanner.model.cached_result import InputKind
from assay.scanner.model.caching import Lifetime
from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_VERSIONS = frozenset("version versions updated modified revision etag digest hash checksum generation epoch".split())
_OF_ONE = frozenset({"id", "pk", "uuid", "slug"})
_COUNTING = frozenset({"count", "acount", "aggregate", "exists", "sum", "max", "len"})
_PAGES = frozenset({"cache_page", "cache_response"})
_MOMENT = 60
"""Seconds: what lasts no longer needn't be dropped by anybody."""
_MOST_SHOWN = 3
_MOST_PARTS = 20
"""Definitions that a key is followed into."""


@dataclass(slots=True)
class _Changes:
    """What requests change of a table, by the functions that answer them."""

    by_root: dict[tuple[FunctionSymbol, ...], list[Effect]] = field(default_factory=dict)


def cached_data(
    calls: Sequence[CacheCall], results: Results, backends: Sequence[Backend], gathered: Gathered
) -> Iterator[CachedData]:
    """All copies of rows that the production code keeps, and drops that come too early."""
    project = gathered.project
    drops = Drops(calls, project)
    ordinals = Ordinals()
    lifetimes = Lifetimes(calls, backends, gathered)
    named = Counter(t.model for t in gathered.tables if t.role is Role.PROD)
    tables = {model for model, times in named.items() if times == 1}  # else it can't be told which one changes
    by_call = {id(c.call): c for c in calls}
    changes = _changes(gathered.endpoints, project)
    kept = [(k, _result(k, results)) for k in kept_by_libraries(list(calls), results, project)]
    for entry, result in [*kept, *kept_by_hand(list(calls), results, project)]:
        call = by_call[id(entry.call)]
        classes = (*result.classes, *result_of_view(entry, results, project).classes)
        models = tuple(dict.fromkeys(c.name for c in classes if c.name in tables))
        if models and call.module.role is Role.PROD:
            found = _Copy(entry, call, models, drops, changes, project)
            lasting, _ = lifetimes.of(call)
            seconds = seconds_of(call, gathered.production, project)
            yield found.judged(ordinals, seconds, lasting is Lifetime.FOREVER)
    yield from drops.too_early(ordinals)


def _result(entry: Kept, results: Results) -> Result:
    is_method = entry.function is not None and not entry.is_whole_view
    return results.of_function(entry.function) if is_method and entry.function is not None else Result()


def _changes(endpoints: Iterable[tuple[Route, Endpoint]], project: Project) -> dict[str, _Changes]:
    """By the name of the model."""
    found: dict[str, _Changes] = {}
    for route, endpoint in endpoints:
        if endpoint.role is not Role.PROD:
            continue
        roots = _roots(route)
        for effect in endpoint.effects:
            if effect.kind is not EffectKind.WRITE or effect.excuse is not None:
                continue
            is_known = effect.target and effect.doubt is None
            model = effect.target if is_known else _model_saved(effect, route, project)
            if model is not None:
                found.setdefault(model, _Changes()).by_root.setdefault(roots, []).append(effect)
    return found


def _model_saved(effect: Effect, route: Route, project: Project) -> str | None:
    """What `serializer.save()` and `instance.delete()` change in the `perform_...` methods of a generic view."""
    view = route.view_class
    stated = project.class_attribute(view, "queryset") if view is not None and not effect.target else None
    if view is None or stated is None or not any(name.startswith("perform_") for name in view.methods):
        return None
    named = (project.infer(n, stated[1]) for n in form.walk(stated[0]) if isinstance(n, form.Name))
    return next((value.name for value in named if isinstance(value, ClassSymbol)), None)


def _roots(route: Route) -> tuple[FunctionSymbol, ...]:
    """What of the project runs for a request of the route."""
    handler = (route.handler,) if route.handler is not None else ()
    methods = route.view_class.methods if route.view_class is not None else {}
    return (*handler, *(m for name, m in sorted(methods.items()) if name.startswith("perform_")))


@dataclass(frozen=True, slots=True, eq=False)
class _Copy:
    """A place that keeps what was read of some models."""

    entry: Kept
    call: CacheCall
    models: tuple[str, ...]
    drops: Drops
    changes: dict[str, _Changes]
    project: Project

    def judged(self, ordinals: Ordinals, seconds: int | None, is_endless: bool) -> CachedData:
        owner = self.entry.function or self.entry.view
        name = owner.id if owner is not None else self.call.module.name
        what = f"{self.entry.what} of {self.models[0]}"
        own = [(roots, e) for m in self.models for roots, es in self._of(m) for e in es if self._matters(e)]
        shown = tuple(dict.fromkeys(e.evidence for _, e in own))
        is_short = seconds is not None and seconds <= _MOMENT and not is_endless
        droppers = self.drops.of(self.call, self.entry.function) if own and not is_short else ()
        hooks = self.drops.hooks_among(droppers)
        missed: tuple[Evidence, ...] = ()
        early: tuple[Evidence, ...] = ()
        if droppers and not hooks:
            early = next((found for r, e in own if (found := self._early(droppers, r, e))), ())
            missed = tuple(dict.fromkeys(e.evidence for r, e in own if not self.drops.is_reached(droppers, r)))
        return CachedData(
            name,
            what,
            ordinals.next(name, what),
            self.call.module.location(self.call.call),
            self.call.module.role,
            self.models,
            seconds,
            is_endless,
            self.entry.what in _PAGES or self.entry.is_whole_view or InputKind.PATH in self.entry.key.kinds,
            self._is_number(),
            shown[:_MOST_SHOWN],
            tuple(self.drops.evidence(d) for d in droppers[:_MOST_SHOWN]),
            missed[:_MOST_SHOWN],
            () if droppers or not own or is_short else self.drops.under_other_keys(self.call)[:_MOST_SHOWN],
            hooks[:1],
            early,
            () if is_short else self._versions(),
        )

    def _early(self, drops: Sequence[Drop], roots: tuple[FunctionSymbol, ...], effect: Effect) -> tuple[Evidence, ...]:
        return self.drops.before(drops, roots, [effect.evidence.location])

    def _of(self, model: str) -> Iterable[tuple[tuple[FunctionSymbol, ...], list[Effect]]]:
        known = self.changes.get(model)
        return known.by_root.items() if known is not None else ()

    def _is_number(self) -> bool:
        """Whether all that is kept of the rows is how many they are, or a sum."""
        function = self.entry.function
        nodes = function.nodes if function is not None else ()
        counted = [n for n in nodes if isinstance(n, form.Call) and last_name(n.func) in _COUNTING]
        named = [n for n in nodes if isinstance(n, form.Name | form.Attr) and last_name(n) in self.models]
        return bool(named) and all(any(c.start <= n.start and n.end <= c.end for c in counted) for n in named)

    def _matters(self, effect: Effect) -> bool:
        """A copy of one row has nothing to do with rows that are new."""
        return effect.action != "create" or not self._is_of_one_row()

    def _is_of_one_row(self) -> bool:
        function = self.entry.function
        named = [last_name(n) or "" for n, _ in self._in_key()]
        if self.call.key is None and function is not None:
            named = [p.name for p in function.parameters]
        return any(not _OF_ONE.isdisjoint(words(name)) for name in named)

    def _versions(self) -> tuple[Evidence, ...]:
        nodes = [(n, module) for n, module in self._in_key() if not _VERSIONS.isdisjoint(words(last_name(n) or ""))]
        return tuple(module.evidence(n, "the key changes with the rows") for n, module in nodes[:1])

    def _in_key(self) -> Iterator[tuple[form.Expr, Module]]:
        """The names in the key, in what it is assigned from, and in the key function that makes it."""
        queue = [(self.call.key, self.call.scope)] if self.call.key is not None else []
        for node, scope in queue:
            if len(queue) > _MOST_PARTS:
                return
            for inner in form.walk(node):
                if isinstance(inner, form.Call):
                    maker = self.project.callee_function(inner, scope)
                    queue += [(r.value, maker.scope) for r in maker.returns if r.value is not None] if maker else []
                elif isinstance(inner, form.Name | form.Attr):
                    yield inner, scope.module
                if isinstance(inner, form.Name):
                    queue += [(b.value, b.scope) for b in scope.bindings.get(inner.id, ()) if b.value is not None]
