"""Whether a kept connection that the database has closed is noticed before a statement is sent on it.

https://docs.sqlalchemy.org/en/20/core/pooling.html#dealing-with-disconnects,
https://docs.djangoproject.com/en/stable/ref/databases/#persistent-database-connections
"""

from __future__ import annotations

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.meanings import truth_of
from assay.scanner.databases.spelled import Spelling, Word
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name
from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence

_CHECKS = ("pool_pre_ping", "pool_recycle")
_UNPOOLED = frozenset({"NullPool", "StaticPool", "AssertionPool"})


def of_engine(spelling: Spelling, gathered: Gathered) -> Option | None:
    """Of SQLAlchemy's pool; None where it keeps no connections."""
    pool = spelling.named("poolclass")
    if pool is not None and pool.value is not None and last_name(pool.value) in _UNPOOLED:
        return None
    unknown: tuple[Evidence, ...] = ()
    for name in _CHECKS:
        word = spelling.named(name)
        if word is None:
            continue
        shown = (word.scope.module.evidence(word.node, f"{name} is set"),)
        on = _is_on(word, gathered)
        if on:
            return Option(True, shown)
        unknown = shown if on is None else unknown
    return Option(None if unknown or spelling.is_open else False, unknown)


def of_alias(spelling: Spelling, gathered: Gathered) -> Option | None:
    """Of a Django alias; None where a connection lives as long as its request."""
    if spelling.named("pool") is not None:
        return Option(True, (_shown(spelling, "pool"),))
    kept = spelling.named("CONN_MAX_AGE", "conn_max_age")
    is_kept = _is_on(kept, gathered) if kept is not None else False
    if kept is None or is_kept is False:
        return None
    checked = spelling.named("CONN_HEALTH_CHECKS", "conn_health_checks")
    on = _is_on(checked, gathered) if checked is not None else False
    if on:
        return Option(True, (_shown(spelling, "CONN_HEALTH_CHECKS", "conn_health_checks"),))
    shown = (kept.scope.module.evidence(kept.node, "connections are kept"),)
    return Option(None if on is None or is_kept is None or spelling.is_open else False, shown)


def _shown(spelling: Spelling, *names: str) -> Evidence:
    word = spelling.named(*names)
    assert word is not None
    return word.scope.module.evidence(word.node, f"{names[0]} is set")


def _is_on(word: Word, gathered: Gathered) -> bool | None:
    """Whether the value counts: not 0, None or False; -1 of `pool_recycle` is off."""
    if word.value is None:
        return None
    found = [m.value for m in gathered.production.meanings(word.value, word.scope)]
    if not found or UNKNOWN in found:
        return None
    values = {truth_of(v) is True and v != -1 for v in found}
    if word.name.lower() == "conn_max_age" and None in found:
        return True  # for ever
    return values.pop() if len(values) == 1 else None
