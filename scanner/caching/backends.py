"""The caches that a service sets up, and whether all its processes see the same entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from assay.scanner.caching.django_backends import DEFAULT, aliases_used
from assay.scanner.caching.operations import Act, CacheCall
from assay.scanner.caching.stores import Backend
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.instances.services import deployment_of, replicated
from assay.scanner.model.caching import CacheStore, DeclaredCache
from assay.scanner.traffic.processes import several, single

_WRITING = (Act.WRITE, Act.FILL, Act.KEEP)


def declared_caches(
    backends: Sequence[Backend], calls: Sequence[CacheCall], gathered: Gathered
) -> Iterator[DeclaredCache]:
    """In order of path and position."""
    backends = [_one_of_several(b, backends) for b in backends]
    ordinals = Ordinals()
    used = aliases_used([c for c in calls if c.act in _WRITING], gathered)
    for backend in sorted(backends, key=lambda b: (b.scope.module.path, b.node.start)):
        module, place = backend.scope.module, around(backend.scope)
        deployment = deployment_of(module.path, gathered)
        many = several(deployment, gathered.project, gathered.production)
        if backend.store is CacheStore.MACHINE:  # files serve all processes of one machine
            many = replicated(deployment)
        yield DeclaredCache(
            place,
            backend.library,
            backend.alias,
            ordinals.next(place, f"{backend.library}:{backend.alias}"),
            module.location(backend.node),
            module.role,
            backend.store,
            (backend.evidence,),
            many,
            single(deployment),
            _aside(backend, backends, calls, used),
        )


def _one_of_several(backend: Backend, backends: Sequence[Backend]) -> Backend:
    """`if redis_url: init(RedisBackend(...)) else: init(InMemoryBackend())`: a setting decides."""
    others = [b for b in backends if b is not backend and b.library == backend.library]
    is_local = backend.store not in (CacheStore.SHARED, CacheStore.UNKNOWN)
    if backend.is_certain or not is_local or not any(b.store is CacheStore.SHARED for b in others):
        return backend
    return replace(backend, store=CacheStore.CONFIGURED)


def _aside(
    backend: Backend, backends: Sequence[Backend], calls: Sequence[CacheCall], used: frozenset[str] | None
) -> str | None:
    if offline_reason(backend.scope) is not None:
        return "no request leads here"
    if backend.library == "Django":
        if used is not None and backend.alias not in used:
            return "no code of the project puts anything into it"
    elif not any(c.library.name == backend.library and c.act in _WRITING for c in calls):
        return "no code of the project puts anything into it"
    others = (b for b in backends if b is not backend and b.library == backend.library)
    is_tier = backend.alias != DEFAULT and backend.is_certain and backend.store is not CacheStore.SHARED
    if is_tier and any(b.store is CacheStore.SHARED for b in others):
        return "it is a tier of its own beside a cache that all processes share"
    return None
