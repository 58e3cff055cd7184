"""What is put into caches, for how long, and what deletes or replaces it.

Redis is also a database, a lock and a queue: what is put there is taken for a copy only where the code asks for it
first and hands on what it finds, or where names say that it is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from assay.scanner.caching.families import family, is_same
from assay.scanner.caching.fetches import Fetches
from assay.scanner.caching.lifetimes import Lifetimes
from assay.scanner.caching.operations import Act, CacheCall, kept_function
from assay.scanner.caching.reads import Use, use_of
from assay.scanner.caching.renewals import Renewals
from assay.scanner.caching.stores import Backend
from assay.scanner.dataflow.constants import definitions
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.linker.scopes import FunctionSymbol, Scope
from assay.scanner.linker.values import BoundMethod
from assay.scanner.model.caching import CacheEntry, Lifetime
from assay.scanner.model.place import Evidence
from assay.scanner.readers.python import form

_WRITING = (Act.WRITE, Act.FILL, Act.KEEP)
_COPIES = frozenset({"cache", "cached", "caching", "caches", "memo", "memoize", "memoized"})
_NO_COPIES = frozenset(
    """lock locks mutex semaphore token tokens otp code codes nonce session sessions blacklist denylist revoked
    revocation counter counters count quota limit limiter ratelimit throttle queue queues pause paused flag
    heartbeat presence online progress job jobs task tasks dedupe idempotency""".split()
)
"""Words of what is no copy of anything: Redis is where it is."""
_VERSIONS = frozenset(
    "version versions revision etag digest hexdigest checksum hash sha md updated modified timestamp".split()
)
"""Words in keys that are others when what is kept has changed."""


def cache_entries(
    calls: Sequence[CacheCall], backends: Sequence[Backend], fetches: Fetches, gathered: Gathered
) -> Iterator[CacheEntry]:
    """In order of path and position."""
    entries = _Entries(calls, backends, fetches, gathered)
    ordinals = Ordinals()
    for call in calls:
        if call.act in _WRITING:
            yield entries.of(call, ordinals)


class _Entries:
    """Judges the writes of one project."""

    def __init__(
        self, calls: Sequence[CacheCall], backends: Sequence[Backend], fetches: Fetches, gathered: Gathered
    ) -> None:
        self._calls = calls
        self._fetches = fetches
        self._project = gathered.project
        self._lifetimes = Lifetimes(calls, backends, gathered)
        self._reading = frozenset(c.scope for c in calls if c.act is Act.READ)
        self._families = {c: family(c.key, c.scope, gathered.project) for c in calls}
        self._renewals = Renewals(calls, self._families, gathered)

    def of(self, call: CacheCall, ordinals: Ordinals) -> CacheEntry:
        """The entry that the call writes."""
        function = around(call.scope)
        lifetime, shown = self._lifetimes.of(call)
        use = self._use(call)
        if lifetime is Lifetime.FOREVER and (beside := self._time_set_later(call)) is not None:
            lifetime, shown = Lifetime.LIMITED, beside
        aside = self._aside(call, use, lifetime)
        renewed: tuple[Evidence, ...] = ()
        is_certain = True
        fetched: Evidence | None = None
        if lifetime is Lifetime.FOREVER and aside is None:
            renewed, is_certain = self._renewals.of(call)
            fetched = None if renewed else self._copied(call, use)
        return CacheEntry(
            function,
            call.library.name,
            ordinals.next(function, call.library.name),
            call.module.location(call.call),
            call.module.role,
            lifetime,
            fetched is not None,
            (shown, fetched) if fetched is not None else (shown,),
            renewed,
            is_certain,
            aside,
        )

    def _use(self, call: CacheCall) -> Use:
        return use_of(call, [c for c in self._calls if c.scope is call.scope and c is not call], self._families)

    def _aside(self, call: CacheCall, use: Use, lifetime: Lifetime) -> str | None:
        if offline_reason(call.scope) is not None:
            return "a command puts it there"
        if use is Use.STATE:
            return "it is kept up to date, and no copy"
        is_mark = isinstance(call.value, form.Const) or last_name(call.call.func) in ("add", "aadd")
        if lifetime is Lifetime.FOREVER and is_mark:
            return "it is a lock or a mark"
        if not call.library.is_store:
            return None
        if any(call.call.keyword(name) is not None for name in ("nx", "xx")):
            return "it is a lock or a mark"
        if not _NO_COPIES.isdisjoint(self._about(call)):
            return "Redis is where this is kept, and no cache of it"
        if lifetime is not Lifetime.LIMITED and use is not Use.COPY and not self._is_named_copy(call):
            return "nothing shows that it is a copy: Redis is used as a store"
        return None

    def _about(self, call: CacheCall) -> set[str]:
        """The words in the key and in the names around it."""
        texts = [self._families[call] or "", call.scope.qualname.rpartition(".")[2]]
        made = [call.key, *(n for n, _ in definitions(call.key, call.scope, self._project))] if call.key else []
        named = (n for node in made if node is not None for n in form.walk(node))
        texts += [last_name(n) or "" for n in named if isinstance(n, form.Name | form.Attr)]
        return {word for text in texts for word in words(text)}

    def _is_named_copy(self, call: CacheCall) -> bool:
        texts = [call.scope.qualname, form.dotted(call.receiver) or "" if call.receiver is not None else ""]
        texts += [other.scope.qualname for other in self._reads_of(call)]
        return not _COPIES.isdisjoint({*self._about(call), *(word for text in texts for word in words(text))})

    def _copied(self, call: CacheCall, use: Use) -> Evidence | None:
        """Where what is kept comes from, where it is a copy of what changes, and its key doesn't change with it."""
        if not _VERSIONS.isdisjoint(self._about(call)) or call.call.keyword("version") is not None:
            return None
        function = call.scope.function
        if call.act is Act.KEEP:
            kept = kept_function(call)
            return self._fetches.by(kept) if kept is not None else None
        if call.act is Act.FILL:
            return self._filled(call)
        if use is Use.COPY and function is not None:
            return self._fetches.by(function)
        # `known = load(key)`, and then `store(key, value)`: who calls the function around it asks first.
        for _, scope in self._project.callers(function) if function is not None else ():
            asks = self._reading.intersection([scope, *self._called_by(scope)])
            if asks and scope is not call.scope and scope.function is not None:
                fetched = self._fetches.by(scope.function)
                if fetched is not None:
                    return fetched
        return None

    def _filled(self, call: CacheCall) -> Evidence | None:
        """`cache.get_or_set(key, load)`, `cache.get_or_set(key, lambda: load(day))`."""
        if call.value is None:
            return None
        made = self._project.infer(call.value, call.scope)
        function = made.function if isinstance(made, BoundMethod) else made
        if isinstance(function, FunctionSymbol):
            return self._fetches.by(function)
        calls = [n for n in form.walk(call.value) if isinstance(n, form.Call)]
        if isinstance(call.value, form.Attr):  # `Order.objects.count` is called only where nothing is there
            calls = [form.Call(start=call.value.start, end=call.value.end, func=call.value, args=[])]
        return self._fetches.among(calls, call.scope)

    def _called_by(self, scope: Scope) -> Iterator[Scope]:
        for node in scope.function.nodes if scope.function is not None else ():
            callee = self._project.callee_function(node, scope) if isinstance(node, form.Call) else None
            if callee is not None:
                yield callee.scope

    def _reads_of(self, call: CacheCall) -> Iterator[CacheCall]:
        mine = self._families[call]
        for other in self._calls if mine is not None else ():
            theirs = self._families[other] if other.act is Act.READ and other.library is call.library else None
            if theirs is not None and mine is not None and is_same(mine, theirs):
                yield other

    def _time_set_later(self, call: CacheCall) -> Evidence | None:
        """`redis.set(key, value)` and then `redis.expire(key, 60)`."""
        mine = self._families[call]
        for other in self._calls:
            if other.act is Act.RENEW and other.library is call.library:
                theirs = self._families[other]
                if other.scope is call.scope or (mine is not None and theirs is not None and is_same(mine, theirs)):
                    return other.module.evidence(other.call, "this says how long it lasts")
        return None
