"""The order in which migrations run on an empty database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assay.scanner.model.migration import Migration


def without_replaced(migrations: Iterable[Migration]) -> list[Migration]:
    """Without those that a squashed one stands for; what builds on one of them builds on that."""
    found = {m.name: m for m in migrations}
    stand_ins = {old: m.name for m in found.values() for old in m.replaces if old in found and old != m.name}
    kept = []
    for migration in found.values():
        if migration.name not in stand_ins:
            parents = dict.fromkeys(_stand_in(p, stand_ins) for p in migration.parents)
            kept.append(replace(migration, parents=tuple(p for p in parents if p != migration.name)))
    return kept


def _stand_in(name: str, stand_ins: dict[str, str]) -> str:
    """What was squashed may have been squashed again."""
    seen = set()
    while name in stand_ins and name not in seen:
        seen.add(name)
        name = stand_ins[name]
    return name


def in_order(migrations: Iterable[Migration]) -> Iterator[Migration]:
    """Each after those it builds on, otherwise by name. A cycle is cut at its first name."""
    found = {m.name: m for m in sorted(migrations, key=lambda m: m.name)}
    begun: set[str] = set()
    for first in found:
        open_: list[tuple[str, Iterator[str]]] = [(first, iter(found[first].parents))] if first not in begun else []
        begun.add(first)
        while open_:
            name, parents = open_[-1]
            parent = next((p for p in parents if p in found and p not in begun), None)
            if parent is None:
                open_.pop()
                yield found[name]
            else:
                begun.add(parent)
                open_.append((parent, iter(sorted(found[parent].parents))))
