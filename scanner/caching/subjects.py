"""What a service keeps in caches, and how."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.caching.backends import declared_caches
from assay.scanner.caching.django_backends import django_backends
from assay.scanner.caching.entries import cache_entries
from assay.scanner.caching.fetches import Fetches
from assay.scanner.caching.function_memos import function_memos
from assay.scanner.caching.keys import cached_data
from assay.scanner.caching.library_backends import decorator_backends, library_backends
from assay.scanner.caching.memos import memo_entries
from assay.scanner.caching.operations import cache_calls
from assay.scanner.caching.responses import cached_results
from assay.scanner.caching.results import Results
from assay.scanner.gathered import Gathered
from assay.scanner.model.cached_data import CachedData
from assay.scanner.model.cached_result import CachedResult
from assay.scanner.model.caching import CacheEntry, DeclaredCache


def caches(gathered: Gathered) -> Iterator[DeclaredCache | CacheEntry | CachedResult | CachedData]:
    """The caches, and what is put into them."""
    calls = cache_calls(gathered.project)
    backends = [*django_backends(gathered, calls), *library_backends(gathered)]
    made = [*backends, *decorator_backends(gathered.project)]
    yield from declared_caches(made, calls, gathered)
    fetches = Fetches(gathered)
    yield from cache_entries(calls, backends, fetches, gathered)
    yield from memo_entries(fetches, gathered)
    yield from function_memos(fetches, gathered)
    results = Results(gathered.project)
    yield from cached_results(calls, results, gathered)
    yield from cached_data(calls, results, backends, gathered)
