"""Which migrations may still be changed: those that have not run everywhere yet."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from assay.scanner.model.migration import Migration
from assay.scanner.schema.trees import Tree


def unreleased(
    tree: Tree, everything: Mapping[str, Migration], released: Sequence[str], added: Collection[str]
) -> set[str]:
    """The names of those in the tree that came since the base, or after what the configuration calls released.

    `released` are names or, as Alembic allows, beginnings of revisions; of a tree that none is in, nothing is known.
    A squashed migration is as old as those that it replaces.
    """
    new = {m.name for m in tree.migrations if m.location.path in added}
    found = {m.name for m in tree.current if m.name in new and (not m.replaces or not new.isdisjoint(m.replaces))}
    own = {m.name for m in tree.migrations}
    named = {name for name in own if any(_means(given, name) for given in released)}
    if named:
        old = with_ancestors(named, everything)
        found |= {m.name for m in tree.current if m.name not in old and old.isdisjoint(m.replaces)}
    return found


def _means(given: str, name: str) -> bool:
    return name == given or (len(given) >= 4 and "." not in given and name.startswith(given))


def with_ancestors(names: Iterable[str], everything: Mapping[str, Migration]) -> set[str]:
    """The migrations and all that they build on; a squashed one stands for what it replaces."""
    open_, seen = list(names), set[str]()
    while open_:
        name = open_.pop()
        if name not in seen:
            seen.add(name)
            migration = everything.get(name)
            open_ += [*migration.parents, *migration.replaces] if migration is not None else []
    return seen
