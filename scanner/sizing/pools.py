"""How many connections one process opens to its database at most.

https://docs.sqlalchemy.org/en/20/core/pooling.html, https://magicstack.github.io/asyncpg/current/api/index.html,
https://www.psycopg.org/psycopg3/docs/api/pool.html
"""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.configuration.meanings import cast
from assay.scanner.databases.clients import Client, clients
from assay.scanner.databases.spelled import Speller, Spelling
from assay.scanner.dataflow.offline import offline_reason
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.model.place import Evidence
from assay.scanner.services import ServiceRoot

_SQLALCHEMY = (("pool_size", 5), ("max_overflow", 10))
_OTHERS = {
    "asyncpg pool": (("max_size", 10),),
    "psycopg pool": (("max_size", 4),),
    "aiopg pool": (("maxsize", 10),),
    "aiomysql pool": (("maxsize", 10),),
}
_UNPOOLED = frozenset({"NullPool", "StaticPool", "AssertionPool"})
_UNBOUNDED = -1


@dataclass(frozen=True, slots=True)
class Pool:
    """The most connections of it, and where it is made. `is_stated` is off where they are the library's defaults."""

    most: int
    place: Evidence
    is_stated: bool


def pool_of(service: ServiceRoot, gathered: Gathered) -> Pool | None:
    """The pool of a service that has one; None for several, and for one whose size can't be told."""
    found = [
        c
        for c in clients(gathered)
        if (c.library.is_pool or c.library.kind in _OTHERS)
        and gathered.owners.of(c.scope.module.path) is service
        and offline_reason(c.scope) is None
    ]
    return _pool(found[0], gathered) if len(found) == 1 else None


def _pool(client: Client, gathered: Gathered) -> Pool | None:
    spelling = Speller(gathered.project).of_call(client.call, client.scope)
    unpooled = spelling.named("poolclass")
    is_embedded = spelling.containing("sqlite") is not None
    if is_embedded or client.is_extended or spelling.is_open:
        return None
    if unpooled is not None and (unpooled.value is None or last_name(unpooled.value) in _UNPOOLED):
        return None
    sizes = _OTHERS.get(client.library.kind, _SQLALCHEMY)
    numbers = [_number(spelling, name, default, gathered) for name, default in sizes]
    if any(n is None or n == _UNBOUNDED for n in numbers):
        return None
    most = sum(n for n in numbers if n is not None)
    is_stated = any(spelling.named(name) is not None for name, _ in sizes)
    place = client.scope.module.evidence(client.call, f"each process has up to {most} connections")
    return Pool(most, place, is_stated)


def _number(spelling: Spelling, name: str, default: int, gathered: Gathered) -> int | None:
    word = spelling.named(name)
    if word is None or word.value is None:
        return default
    values = {cast("int", m.value) for m in gathered.production.meanings(word.value, word.scope)}
    only = next(iter(values)) if len(values) == 1 else None
    return only if isinstance(only, int) and not isinstance(only, bool) else None
