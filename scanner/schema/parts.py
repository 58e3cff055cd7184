"""The parts of a tree that are judged one by one: each migration that may still be changed, and the rest together."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from assay.scanner.gathered import Gathered
from assay.scanner.model.database import Dialect
from assay.scanner.model.migration import MigrationStep
from assay.scanner.schema.compatibility import breaks_of
from assay.scanner.schema.existing import OnExisting, on_existing
from assay.scanner.schema.locks import locks_of
from assay.scanner.schema.scope import unreleased
from assay.scanner.schema.trees import ALEMBIC, Tree
from assay.scanner.schema.undoing import going_back


def parts_of(trees: Sequence[Tree], dialects: frozenset[Dialect], gathered: Gathered) -> Iterator[MigrationStep]:
    """For each tree one part for each migration in question, and one for all released ones."""
    everything = {m.name: m for tree in trees for m in tree.migrations}
    baseline = gathered.releases.baseline
    in_question = {tree.name: unreleased(tree, everything, baseline, gathered.added) for tree in trees}
    new = {name for names in in_question.values() for name in names}
    steps = on_existing(everything.values(), new) if new else {}
    for tree in trees:
        yield from _of_tree(tree, in_question[tree.name], steps, dialects, gathered)


def _of_tree(
    tree: Tree,
    in_question: set[str],
    steps: Mapping[str, list[OnExisting]],
    dialects: frozenset[Dialect],
    gathered: Gathered,
) -> Iterator[MigrationStep]:
    released = [m for m in tree.migrations if m.name not in in_question]
    if released:
        first = released[0]
        yield MigrationStep(f"{tree.name} (released)", tree.name, first.location, first.role, len(released))
    for migration in tree.current:
        if migration.name in in_question:
            yield MigrationStep(
                name=migration.name,
                tree=tree.name,
                location=migration.location,
                role=migration.role,
                migration=migration,
                going_back=going_back(migration),
                locks=locks_of(steps.get(migration.name, ()), dialects),
                breaks=breaks_of(steps.get(migration.name, ()), is_django=migration.framework != ALEMBIC),
                dialects=dialects,
                has_downtime=gathered.releases.downtime,
            )
