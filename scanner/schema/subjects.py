"""What migrations and tables give rules to judge."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.migration import Migration
from assay.scanner.model.subject import Subject
from assay.scanner.schema.backups import data_stores
from assay.scanner.schema.databases import dialects_of
from assay.scanner.schema.drift import migrated_tables, migrations_of
from assay.scanner.schema.find_or_create import finds_or_creates
from assay.scanner.schema.origin import origin_of
from assay.scanner.schema.parts import parts_of
from assay.scanner.schema.replay import schema_of
from assay.scanner.schema.table_keys import associations, foreign_keys, of_production
from assay.scanner.schema.trees import Tree, subject_of, trees_of
from assay.scanner.services import ServiceRoot


def schemas(gathered: Gathered) -> Iterator[Subject]:
    """The trees that migrations form, and what is judged of them."""
    for root, trees in _by_service(gathered).items():
        yield from (subject_of(tree) for tree in trees)
        dialects = dialects_of(gathered, root)
        yield from parts_of(trees, dialects, gathered)
        tables = [t for t in gathered.tables if gathered.owners.of(t.location.path) is root]
        schema = schema_of(migrations_of(trees))
        yield from migrated_tables(tables, trees, schema)
        mapped = of_production(tables)
        yield from foreign_keys(mapped, schema, dialects)
        yield from associations(mapped, schema)
        yield from finds_or_creates(mapped, schema, gathered)
        yield from data_stores(root, gathered)
        yield origin_of(root, tables, trees, schema, gathered)


def _by_service(gathered: Gathered) -> dict[ServiceRoot, list[Tree]]:
    owned: dict[ServiceRoot, list[Migration]] = {}
    for migration in gathered.migrations:
        owner = gathered.owners.of(migration.location.path)
        if owner is not None:
            owned.setdefault(owner, []).append(migration)
    return {owner: trees_of(owned.get(owner, [])) for owner in gathered.services}
