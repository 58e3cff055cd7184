"""PERF1: hot reads are cached, and a cached answer is never a wrong one."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.cached_data import CachedData
from assay.scanner.model.cached_result import CachedResult, Input
from assay.scanner.model.caching import CacheEntry, CacheStore, DeclaredCache, Lifetime
from assay.scanner.model.place import Evidence
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "PERF101",
    severity=Severity.MEDIUM,
    cwe=(1188,),
    references=(
        "https://12factor.net/backing-services",
        "https://docs.djangoproject.com/en/stable/topics/cache/#local-memory-caching",
        "https://flask-caching.readthedocs.io/en/latest/#built-in-cache-backends",
    ),
)
def no_shared_cache_backend(cache: DeclaredCache, service: Service) -> Verdict:
    """What one process puts into the cache, the others don't see.

    Why: each process works out everything again, and what one of them deletes because it changed, the others go on
    answering with; a cache that keeps nothing costs its calls and saves none.
    Fix: point the cache at Redis, Memcached or the database in production; keep memory for tests and development.
    """
    if cache.aside is not None:
        return not_applicable(cache.aside, *cache.evidence)
    match cache.store:
        case CacheStore.UNKNOWN:
            return not_applicable("where it keeps entries can't be told", *cache.evidence)
        case CacheStore.SHARED:
            return passed("all processes share it", *cache.evidence)
        case CacheStore.NOWHERE:
            return fail(f"the {cache.library} cache keeps nothing in production; point it at Redis", *cache.evidence)
        case CacheStore.CONFIGURED:
            return review("does production set a cache that all processes share?", *cache.evidence)
    if cache.several:
        said = f"each process has its own {cache.library} cache; point it at Redis"
        return fail(said, *cache.evidence, *cache.several)
    if cache.single:
        return passed("only one process serves requests", *cache.single)
    what = "process serve requests? each has its own cache"
    if cache.store is CacheStore.MACHINE:
        what = "instance run? each has files of its own"
    return review(f"does more than one {what}", *cache.evidence)


@rule(
    "PERF102",
    severity=Severity.MEDIUM,
    cwe=(672, 770),
    references=(
        "https://docs.djangoproject.com/en/stable/topics/cache/#basic-usage",
        "https://redis.io/docs/latest/commands/expire/",
        "https://redis.io/docs/latest/develop/reference/eviction/",
    ),
)
def cache_entry_never_expires(entry: CacheEntry, service: Service) -> Verdict:
    """A copy of what is worked out elsewhere stays in a cache for ever.

    Why: when what it was made of changes, the copy goes on being served until somebody empties the cache by hand; and
    entries that nobody asks for any more fill the memory.
    Fix: give each entry a time, as long as an old answer may be served; delete it as well where its data changes.
    """
    if entry.aside is not None:
        return not_applicable(entry.aside, *entry.evidence)
    match entry.lifetime:
        case Lifetime.UNKNOWN:
            return not_applicable("how long it lasts can't be told", *entry.evidence)
        case Lifetime.LIMITED:
            return passed("it expires", *entry.evidence)
    if entry.renewed and entry.is_renewal_certain:
        return passed("it is deleted or replaced where its data changes", *entry.renewed)
    if entry.renewed:
        return review("is it deleted whenever its data changes? it never expires", *entry.evidence, *entry.renewed)
    if entry.is_copy:
        return fail("this copy never expires, and nothing deletes it; give it a time", *entry.evidence)
    return review("may it stay for ever? it never expires, and nothing deletes it", *entry.evidence)


@rule(
    "PERF103",
    severity=Severity.CRITICAL,
    cwe=(524, 525, 639),
    references=(
        "RFC 9111 §7.1",
        "OWASP Top 10 2021 A01",
        "https://docs.djangoproject.com/en/stable/topics/cache/#using-vary-headers",
        "https://flask-caching.readthedocs.io/en/latest/api.html#flask_caching.Cache.cached",
        "https://github.com/long2ice/fastapi-cache#custom-key-builder",
    ),
)
def private_response_in_shared_cache(result: CachedResult, service: Service) -> Verdict:
    """A result that hangs on who is asking, or on another part of the request, is kept under a key without it.

    Why: the first one's answer is given to all others: their data, their language, their page of a list. Where the
    check of callers is inside of what is kept, a hit answers people who may not see it at all.
    Fix: put every input of the result into the key, in Django by `vary_on_cookie` or `vary_on_headers` below the cache,
    or keep only what is the same for all; check callers before the cache is asked.
    """
    if result.lacking:
        names = ", ".join(dict.fromkeys(i.described for i in result.lacking[:3]))
        whose = "one caller gets another's answer" if result.is_private else "different requests get the same answer"
        text = f"the key is {result.key}, but the result hangs on {names}: {whose}"
        return fail(text, *_brought_in(result.lacking), *result.late)
    if result.skipped:
        text = f"the key is {result.key}, and callers are checked behind the cache: a hit answers anybody"
        return fail(text, *result.skipped, *result.late)
    if result.doubts:
        return review(result.question, *result.doubts)
    if result.held:
        return passed(f"what the result hangs on is in its key: {result.key}", *_brought_in(result.held))
    return passed("nothing of the request decides about it, as far as can be told")


def _brought_in(inputs: tuple[Input, ...]) -> tuple[Evidence, ...]:
    return tuple(i.evidence for i in inputs[:5])


@dataclass(frozen=True)
class StaleOptions:
    """How old a copy may be whose rows have changed: until when nobody minds, and from when on it is a fault."""

    tolerated_minutes: int = 5
    faulty_minutes: int = 60


@rule(
    "PERF104",
    severity=Severity.HIGH,
    cwe=(672,),
    references=(
        "https://docs.djangoproject.com/en/stable/topics/db/transactions/#performing-actions-after-commit",
        "https://flask-caching.readthedocs.io/en/latest/api.html#flask_caching.Cache.delete_memoized",
        "https://learn.microsoft.com/en-us/azure/architecture/patterns/cache-aside",
    ),
)
def cached_data_not_invalidated(data: CachedData, service: Service, options: StaleOptions) -> Verdict:
    """Rows are changed, and the copy of them in a cache goes on being served.

    Why: people don't see what they have just changed, or see what they may not see any more; and where the entry is
    dropped before the change, somebody who reads in between puts the old value back.
    Fix: make the key in one function that readers and writers share, and delete the entry after the commit, in Django
    by `transaction.on_commit`.
    """
    if data.early:
        return fail("the entry is dropped before the change, and a reader puts the old value back", *data.early)
    minutes = data.seconds / 60 if data.seconds is not None else None
    if not data.changes:
        return not_applicable(f"no request changes {data.named_models}")
    if not data.is_endless and minutes is not None and minutes <= options.tolerated_minutes:
        return passed(f"it is {options.tolerated_minutes} minutes old at most")
    if data.versioned:
        return passed("its key changes with the rows", *data.versioned)
    if data.hooks:
        return passed("whatever changes the rows drops it", *data.hooks)
    lasts = "for ever" if data.is_endless else _spelled(minutes)
    if data.other_keys:
        return fail("it is dropped under a key that it doesn't have; share one key function", *data.other_keys)
    if data.drops and data.missed:
        return review(f"should this change drop the copy of {data.named_models}?", *data.missed, *data.drops)
    if data.drops:
        return passed("what changes the rows drops it", *data.drops)
    if data.is_endless:
        return not_applicable("what never expires is told by PERF102")
    is_long = minutes is not None and minutes > options.faulty_minutes
    if is_long and not data.is_page and not data.is_number:
        text = f"{data.named_models} are served {lasts} after they change; drop the copy when they do"
        return fail(text, *data.changes)
    return review(f"may {data.named_models} be served {lasts} after they change?", *data.changes)


def _spelled(minutes: float | None) -> str:
    if minutes is None:
        return "for some time"
    hours = minutes / 60
    many = f"{hours / 24:.0f} days" if hours >= 48 else f"{hours:.0f} hours" if hours >= 2 else f"{minutes:.0f} minutes"
    return f"for {many}"
