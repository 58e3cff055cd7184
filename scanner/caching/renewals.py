"""What deletes an entry that never expires, or puts something newer in its place."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from enum import Enum, auto

from assay.scanner.caching.families import family, is_same
from assay.scanner.caching.operations import Act, CacheCall, kept_function
from assay.scanner.caching.reads import Use, use_of
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import Binding, FunctionSymbol, How, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_OF_FUNCTIONS = ("invalidate", "invalidate_all", "refresh", "delete_memoized", "cache_clear", "clear")
"""Methods of kept functions that drop what was kept."""
_LISTING = frozenset({"scan_iter", "keys", "iter_keys", "hscan_iter"})
_MOST_SHOWN = 2
_MOST_CALLERS = 40
_SHOWN = {
    Act.DELETE: "this deletes such entries",
    Act.CLEAR: "this deletes all entries",
    Act.WRITE: "this puts what is newer in its place",
}


class _Match(Enum):
    NO = auto()
    MAYBE = auto()
    YES = auto()


class Renewals:
    """Of the entries of one project."""

    def __init__(
        self, calls: Sequence[CacheCall], families: Mapping[CacheCall, str | None], gathered: Gathered
    ) -> None:
        self._calls = calls
        self._families = families
        self._project = gathered.project
        self._production = gathered.production
        self._keys: dict[CacheCall, tuple[str | None, ...]] = {}

    def of(self, call: CacheCall) -> tuple[tuple[Evidence, ...], bool]:
        """What deletes or replaces the entry, and whether it is certain that it is this one."""
        kept = kept_function(call) if call.act is Act.KEEP else None
        dropped = tuple(self._dropped(kept)) if kept is not None else ()
        if dropped:
            return dropped[:_MOST_SHOWN], True
        mine = self._keys_of(call)
        certain: list[Evidence] = []
        maybe: list[Evidence] = []
        for other in self._others(call):
            match = self._matches(mine, other) if kept is None or other.act is not Act.WRITE else _Match.NO
            if match is not _Match.NO:
                shown = other.module.evidence(other.call, _SHOWN[other.act])
                (certain if match is _Match.YES else maybe).append(shown)
        return (tuple(certain[:_MOST_SHOWN]), True) if certain else (tuple(maybe[:1]), False)

    def _matches(self, mine: tuple[str | None, ...], other: CacheCall) -> _Match:
        theirs = self._keys_of(other)
        found = [any(t is not None and is_same(m, t) for t in theirs) for m in mine if m is not None]
        if found and all(found) and None not in mine:
            return _Match.YES
        may_be = other.act is not Act.WRITE and bool(theirs) and (None in theirs or None in mine)
        return _Match.MAYBE if may_be or any(found) else _Match.NO

    def _keys_of(self, call: CacheCall) -> tuple[str | None, ...]:
        """The families that the call is about, None for one that can't be told; those of its callers where they say."""
        if call not in self._keys:
            self._keys[call] = tuple(dict.fromkeys(self._found_keys(call)))
        return self._keys[call]

    def _found_keys(self, call: CacheCall) -> Iterator[str | None]:
        known = self._families[call]
        if known is not None:
            yield known
        several = call.act is Act.DELETE
        given = [a.value for a in call.call.args if a.name is None][known is not None :] if several else [call.key]
        for node in given if known is None or several else ():
            for item in node.items if isinstance(node, form.Display) else [node]:
                yield from self._keys_in(item, call.scope)
        if known is None and not any(given):
            yield None

    def _keys_in(self, node: form.Expr | None, scope: Scope) -> Iterator[str | None]:
        text = family(node, scope, self._project)
        if text is not None or not isinstance(node, form.Name):
            yield text
            return
        bindings = scope.lookup(node.id, node.start)
        if len(bindings) == 1 and bindings[0].how is How.PARAMETER:
            yield from self._handed(bindings[0])
            return
        listed = [c for b in bindings if b.value is not None for c in form.walk(b.value) if isinstance(c, form.Call)]
        patterns = [c.argument(0, "match") for c in listed if last_name(c.func) in _LISTING]
        yield family(patterns[0], scope, self._project) if patterns else None

    def _handed(self, binding: Binding) -> Iterator[str | None]:
        """What callers hand over for a parameter."""
        function, param = binding.function, binding.param
        callers = self._project.callers(function) if function is not None else []
        for call, scope in callers[:_MOST_CALLERS]:
            given = self._project.bound_argument(call, function, param) if function and param else None
            yield family(given, scope, self._project)
        if len(callers) > _MOST_CALLERS:
            yield None

    def _others(self, call: CacheCall) -> Iterator[CacheCall]:
        """What deletes, and what writes for another reason than that nothing was found."""
        for other in self._calls:
            if other is call or other.library is not call.library or not self._runs(other):
                continue
            if other.act is Act.DELETE and self._names_function(other):
                continue
            is_update = other.act is Act.WRITE and other.scope is not call.scope
            if other.act in (Act.DELETE, Act.CLEAR) or (is_update and self._use(other) is not Use.COPY):
                yield other

    def _names_function(self, call: CacheCall) -> bool:
        """`cache.delete_memoized(function)` drops what that function gave, and nothing else."""
        first = call.call.positional[:1] if call.operation.key is None else ()
        return any(
            isinstance(self._project.infer(node, call.scope), FunctionSymbol | BoundMethod)
            or any(f.name == last_name(node) for f in call.module.functions)
            for node in first
        )

    def _use(self, call: CacheCall) -> Use:
        return use_of(call, [c for c in self._calls if c.scope is call.scope and c is not call], self._families)

    def _runs(self, call: CacheCall) -> bool:
        """Whether the running service gets there: no command does, and no branch for debugging."""
        is_offline = offline_reason(call.scope) is not None
        return not is_offline and self._production.taken(call.call, call.scope).truth is not False

    def _dropped(self, function: FunctionSymbol) -> Iterator[Evidence]:
        """`cache.delete_memoized(function)`, `function.invalidate()`."""
        for other in self._calls:
            if other.act is Act.DELETE and any(_is_named(a.value, function) for a in other.call.args[:1]):
                yield other.module.evidence(other.call, "this drops what it kept")
        for call, scope in self._project.calls_named(*_OF_FUNCTIONS):
            owner = call.func.value if isinstance(call.func, form.Attr) else None
            if owner is not None and _is_named(owner, function):
                yield scope.module.evidence(call, "this drops what it kept")


def _is_named(node: form.Expr, function: FunctionSymbol) -> bool:
    return isinstance(node, form.Name | form.Attr) and last_name(node) == function.name
