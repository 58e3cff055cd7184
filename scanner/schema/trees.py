"""The trees that migrations form: one for each Django app, one for each folder of Alembic revisions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from assay.scanner.model.migration import Migration, MigrationTree
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.schema.order import without_replaced

ALEMBIC = "Alembic"
_ANY_OF_APP = ("__first__", "__latest__")


@dataclass(frozen=True, slots=True)
class Tree:
    """The migrations of one history, by name; squashed ones stand for those they replace in `current`."""

    name: str
    migrations: tuple[Migration, ...]
    current: tuple[Migration, ...]


def trees_of(migrations: Iterable[Migration]) -> list[Tree]:
    """All trees; migrations that tests make for themselves are left out."""
    kept = [m for m in migrations if m.role is not Role.TEST]
    groups = _by_folder([m for m in kept if m.framework == ALEMBIC])
    apps: dict[str, dict[str, list[Migration]]] = {}
    for migration in kept:
        if migration.framework != ALEMBIC:
            folders = apps.setdefault(migration.name.split(".", 1)[0], {})
            folders.setdefault(str(PurePosixPath(migration.location.path).parent), []).append(migration)
    for app, folders in apps.items():
        groups |= {app if len(folders) == 1 else f"{app} in {folder}": group for folder, group in folders.items()}
    return [
        Tree(name, tuple(sorted(group, key=_place)), tuple(sorted(without_replaced(group), key=lambda m: m.name)))
        for name, group in sorted(groups.items())
    ]


def _by_folder(revisions: Sequence[Migration]) -> dict[str, list[Migration]]:
    """By the folder they lie in; folders are one where a revision in one builds on one in the other."""
    found: dict[str, list[Migration]] = {}
    for revision in revisions:
        found.setdefault(str(PurePosixPath(revision.location.path).parent), []).append(revision)
    homes: dict[str, set[str]] = {}
    for folder, group in found.items():
        for revision in group:
            homes.setdefault(revision.name, set()).add(folder)
    joined = {folder: folder for folder in found}
    for folder, group in sorted(found.items()):
        for parent in (p for revision in group for p in revision.parents):
            others = homes.get(parent, set())
            if folder not in others and len(others) == 1:
                one, other = sorted((_root(folder, joined), _root(next(iter(others)), joined)))
                joined[other] = one
    trees: dict[str, list[Migration]] = {}
    for folder, group in found.items():
        trees.setdefault(_root(folder, joined), []).extend(group)
    return trees


def _root(folder: str, joined: dict[str, str]) -> str:
    while joined[folder] != folder:
        folder = joined[folder]
    return folder


def subject_of(tree: Tree) -> MigrationTree:
    """What there is to say of a tree's shape."""
    names = Counter(m.name for m in tree.migrations)
    current = {m.name: m for m in tree.current}
    built_on = {p for m in current.values() for p in m.parents if p != m.name}
    heads = [m for m in tree.current if m.name not in built_on]
    circular = _circular(current)
    lead = max(heads or tree.current, key=_place)
    return MigrationTree(
        name=tree.name,
        framework=lead.framework,
        location=lead.location,
        role=lead.role,
        size=len(tree.migrations),
        heads=tuple(Evidence(m.location, f"{m.name}: none builds on it") for m in sorted(heads, key=_place)),
        missing=tuple(
            Evidence(m.location, f"builds on {parent}, which isn't there")
            for m in tree.current
            for parent in m.parents
            if _is_of(m, parent) and parent not in names and not parent.endswith(_ANY_OF_APP)
        ),
        repeated=tuple(
            Evidence(m.location, f"one of those named {m.name}") for m in tree.migrations if names[m.name] > 1
        ),
        circular=tuple(
            Evidence(m.location, "builds on itself, over others") for m in tree.current if m.name in circular
        ),
        unplaced=tuple(Evidence(m.location, "what it builds on is computed") for m in tree.current if not m.is_placed),
        merges=tuple(
            Evidence(m.location, f"{m.name} merges {len(m.parents)} branches")
            for m in tree.current
            if sum(1 for parent in m.parents if parent in current) > 1
        ),
        is_branched=len(heads) > 1 and len({_branch(h, current) for h in heads} - {None}) == len(heads),
    )


def _is_of(migration: Migration, parent: str) -> bool:
    """Whether a parent belongs to the same history: Django's migrations also build on those of other apps."""
    return migration.framework == ALEMBIC or parent.split(".", 1)[0] == migration.name.split(".", 1)[0]


def _place(migration: Migration) -> tuple[str, str]:
    return migration.name if migration.framework != ALEMBIC else migration.location.path, migration.name


def _branch(head: Migration, current: dict[str, Migration]) -> str | None:
    """The declared branch that a head ends; None where it is of none."""
    open_, seen = [head.name], set[str]()
    while open_:
        name = open_.pop()
        if name in seen or name not in current:
            continue
        seen.add(name)
        if current[name].labels:
            return current[name].labels[0]
        open_ += current[name].parents
    return None


def _circular(current: dict[str, Migration]) -> set[str]:
    """The migrations on a cycle: what is left when those without parents, and then without children, are gone."""
    left = {name: {p for p in m.parents if p in current} for name, m in current.items()}
    for _ in range(2):
        while gone := [name for name, others in left.items() if not others & left.keys()]:
            for name in gone:
                del left[name]
        left = {name: {other for other in left if name in left[other]} for name in left}
    return set(left)
