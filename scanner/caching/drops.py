"""What drops entries of a cache: calls that delete, and the functions and hooks that lead there."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import TypeAlias

from assay.scanner.caching.families import family, is_same
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.wrappers import handed_on
from assay.scanner.dataflow.constants import list_items
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.dataflow.reachability import CallGraph
from assay.scanner.linker.project import Project, last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.model.cached_data import CachedData
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_OF_FUNCTIONS = ("invalidate", "invalidate_all", "refresh", "delete_memoized", "cache_clear", "delete_cached")
_HOOK_DECORATORS = frozenset({"receiver", "listens_for"})
_HOOK_METHODS = frozenset({"save", "delete", "asave", "adelete", "on_commit", "after_commit"})
_CONNECTING = ("connect", "listen")
_DROPPING = frozenset(
    "invalidate invalidates invalidated invalidation clear clears bust evict evicts purge flush cache caches".split()
)
_SHORT = 2
"""Letters of a first part of a key that say nothing."""
_PARTS = re.compile(r"[:/_.-]")

Drop: TypeAlias = tuple[form.Call, Scope]


class Drops:
    """Those of one project."""

    def __init__(self, calls: Sequence[CacheCall], project: Project) -> None:
        self._calls = [c for c in calls if c.module.role is Role.PROD]
        self._project = project
        self._families = {id(c): family(c.key, c.scope, project) for c in self._calls if c.key is not None}
        self._many = {id(c): found for c in self._calls if (found := tuple(_others(c, project)))}
        self._graph: CallGraph | None = None
        self._reached: dict[tuple[FunctionSymbol, ...], set[FunctionSymbol]] = {}
        self._hooks: set[FunctionSymbol] | None = None

    def of(self, kept: CacheCall, function: FunctionSymbol | None) -> tuple[Drop, ...]:
        """The calls that drop what the call keeps, or put something newer in its place."""
        found: dict[int, Drop] = {}
        for other in self._calls:
            if other is not kept and other.library is kept.library and self._drops(other, kept) and _is_served(other):
                found[id(other.call)] = (other.call, other.scope)
        for call, scope in self._project.calls_named(*_OF_FUNCTIONS) if function is not None else ():
            owner = [call.func.value] if isinstance(call.func, form.Attr) else []
            named = [*owner, *(a.value for a in call.args[:1])]
            if function is not None and any(_names(n, function) for n in named):
                found[id(call)] = (call, scope)
        return tuple(found.values())

    def _drops(self, other: CacheCall, kept: CacheCall) -> bool:
        if other.act is Act.CLEAR and (other.key is None or _is_of_many(other)):
            return True
        mine, theirs = self._families.get(id(kept)), self._families.get(id(other))
        if mine is not None and any(
            is_same(mine, t) and _has_parts_alike(mine, t) for t in self._many.get(id(other), ())
        ):
            return True
        is_update = other.act is Act.WRITE and other.scope is not kept.scope
        if mine is None or (other.act not in (Act.DELETE, Act.CLEAR) and not is_update):
            return False
        if theirs is None:  # what it drops can't be told: it may well be this
            return other.key is not None and other.act in (Act.DELETE, Act.CLEAR) and other.module is kept.module
        return is_same(mine, theirs) and (other.act is Act.CLEAR or _has_parts_alike(mine, theirs))

    def under_other_keys(self, kept: CacheCall) -> tuple[Evidence, ...]:
        """Deletes of keys that begin alike and have other parts, where nothing drops the entry."""
        mine = self._families.get(id(kept))
        if mine is None:
            return ()
        head = _PARTS.split(mine)[0]
        found = []
        for other in self._calls:
            theirs = self._families.get(id(other))
            if other.act is not Act.DELETE or other.library is not kept.library or theirs is None:
                continue
            if len(head) > _SHORT and "*" not in head and _PARTS.split(theirs)[0] == head:
                found.append(other.module.evidence(other.call, f"this drops `{theirs}`, and the copy is `{mine}`"))
        return tuple(found)

    @staticmethod
    def evidence(drop: Drop) -> Evidence:
        call, scope = drop
        return scope.module.evidence(call, "this drops such copies")

    def hooks_among(self, drops: Sequence[Drop]) -> tuple[Evidence, ...]:
        """Those that run on every change of a row: a signal's receiver, a listener, a model's `save`."""
        if not drops:
            return ()
        hooks = self._all_hooks()
        reached = self._reach(tuple(hooks)) if hooks else set()
        return tuple(self.evidence(d) for d in drops if _runs_in(d) in reached)

    def is_reached(self, drops: Sequence[Drop], roots: tuple[FunctionSymbol, ...]) -> bool:
        """Whether one of the drops runs when one of the functions does."""
        reached = self._reach(roots)
        return any(_runs_in(drop) in reached for drop in drops)

    def _reach(self, roots: tuple[FunctionSymbol, ...]) -> set[FunctionSymbol]:
        if self._graph is None:
            self._graph = CallGraph(self._project)
        if roots not in self._reached:
            self._reached[roots] = set(self._graph.reachable(roots))
        return self._reached[roots]

    def _all_hooks(self) -> set[FunctionSymbol]:
        if self._hooks is None:
            self._hooks = set(self._found_hooks())
        return self._hooks

    def _found_hooks(self) -> Iterator[FunctionSymbol]:
        for call, scope in self._project.calls_named(*_CONNECTING):
            for argument in call.args:
                value = self._project.infer(argument.value, scope)
                if isinstance(value, FunctionSymbol):
                    yield value
        modules = {c.module for c in self._calls} | {s.module for _, s in self._project.calls_named(*_HOOK_DECORATORS)}
        for module in modules:
            for function in module.functions:
                called = (last_name(d.func) for d in function.decorators if isinstance(d, form.Call))
                if _HOOK_DECORATORS.intersection(called) or (
                    function.owner is not None and function.name in _HOOK_METHODS and _is_model(function, self._project)
                ):
                    yield function

    def too_early(self, ordinals: Ordinals) -> Iterator[CachedData]:
        """Wrappers that drop entries and only then run what changes the rows."""
        dropping = (c.scope.function for c in self._calls if c.act in (Act.DELETE, Act.CLEAR))
        for function in dict.fromkeys(f for f in dropping if f is not None):
            for dropper, call, scope in self._uses(function):
                ran = handed_on(dropper)
                again = any(c.call.start > ran[-1].start for c in self._calls if c.scope.function is dropper)
                if again or call.start > ran[0].start or _DROPPING.isdisjoint(words(dropper.qualname)):
                    continue
                what = "drop before the change"
                yield CachedData(
                    dropper.id,
                    what,
                    ordinals.next(dropper.id, what),
                    scope.module.location(call),
                    scope.module.role,
                    early=(scope.module.evidence(ran[0], "what changes the rows runs only here"),),
                )

    def before(
        self, drops: Sequence[Drop], roots: tuple[FunctionSymbol, ...], changes: Iterable[Location]
    ) -> tuple[Evidence, ...]:
        """A drop in a function that goes on to change the rows, or to commit, and drops nothing after that."""
        for function in roots:
            own = [c.start for c, scope in drops if scope.function is function and not _is_deferred(c, scope)]
            if not own:
                continue
            module, last = function.module, max(own)
            leaving = [n.start for n in function.nodes if isinstance(n, form.Return | form.Raise) and n.start > last]
            until = module.facts.position(min(leaving))[0] if leaving else module.location(function.node).end_line
            line = module.facts.position(last)[0]
            commits = (n for n in function.nodes if isinstance(n, form.Call) and last_name(n.func) == "commit")
            later = [module.location(n) for n in commits if n.start > last]
            later = [at for at in (*later, *changes) if at.path == module.path and line < at.line <= until]
            if later:
                dropped = next(c for c, scope in drops if scope.function is function and c.start == last)
                said = "it is dropped here, before the change"
                return (module.evidence(dropped, said), Evidence(later[0], "this is the change"))
        return ()

    def _uses(self, function: FunctionSymbol) -> Iterator[tuple[FunctionSymbol, form.Call, Scope]]:
        """Wrappers that drop by themselves, or by calling a function that does."""
        own = [c for c in self._calls if c.scope.function is function and c.act in (Act.DELETE, Act.CLEAR)]
        if handed_on(function):
            yield function, own[0].call, function.scope
        for call, scope in self._project.callers(function):
            if scope.function is not None and handed_on(scope.function):
                yield scope.function, call, scope


def _others(call: CacheCall, project: Project) -> Iterator[str]:
    """The keys that a delete of several names, beside the first: `delete_many(["a", "b"])`, `delete("a", "b")`."""
    if call.act is not Act.DELETE or call.key is None:
        return
    keys = [(node, call.scope) for node in call.call.positional[1:]]
    if call.operation.is_many:
        made = call.key.element if isinstance(call.key, form.Comprehension) else None
        keys = [(made, call.scope)] if made is not None else list_items(call.key, call.scope, project)
    for node, scope in keys:
        text = family(node, scope, project)
        if text is not None:
            yield text


def _is_of_many(call: CacheCall) -> bool:
    """Whether it drops by a name that many entries share, which no key shows: a tag, a namespace."""
    key = call.operation.key
    return key is not None and key.name in ("tags", "namespace")


def _runs_in(drop: Drop) -> FunctionSymbol | None:
    """The function that it is in, or that it decorates: `@cache.invalidate("user:{user_id}")`."""
    call, scope = drop
    if scope.function is not None:
        return scope.enclosing_function
    return next((f for f in scope.module.functions if any(d is call for d in f.decorators)), None)


def _is_deferred(call: form.Call, scope: Scope) -> bool:
    """Whether it runs after the commit: `transaction.on_commit(lambda: cache.delete(key))`."""
    waiting = scope.module.calls_named(("on_commit", "add_task"))
    return any(outer.start <= call.start and call.end <= outer.end for outer, _ in waiting)


def _has_parts_alike(one: str, other: str) -> bool:
    """Whether two keys have as many parts: `labels:7:3` isn't dropped by dropping `labels:7`."""
    if one.startswith("*") or other.startswith("*"):
        return True
    parts = _PARTS.split(one), _PARTS.split(other)
    pairs = zip(*parts, strict=False)
    return len(parts[0]) == len(parts[1]) and all(a == b or "*" in a or "*" in b for a, b in pairs)


def _is_served(call: CacheCall) -> bool:
    """Whether it runs with the service, and not by hand."""
    return offline_reason(call.scope) is None


def _names(node: form.Expr, function: FunctionSymbol) -> bool:
    return isinstance(node, form.Name | form.Attr) and last_name(node) == function.name


def _is_model(function: FunctionSymbol, project: Project) -> bool:
    owner = function.owner
    return owner is not None and any("Model" in base or base.endswith(".Base") for base in project.base_names(owner))
