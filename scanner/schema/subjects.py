"""What migrations and tables give rules to judge."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.model.subject import Subject
from assay.scanner.schema.backups import data_stores
from assay.scanner.schema.databases import dialects_of
from assay.scanner.schema.drift import migrated_tables
from assay.scanner.schema.find_or_create import finds_or_creates
from assay.scanner.schema.origin import origin_of
from assay.scanner.schema.parts import parts_of
from assay.scanner.schema.replayed import replayed
from assay.scanner.schema.table_keys import associations, foreign_keys, of_production
from assay.scanner.schema.trees import subject_of


def schemas(gathered: Gathered) -> Iterator[Subject]:
    """The trees that migrations form, and what is judged of them."""
    for root, history in replayed(gathered).items():
        trees, schema = history.trees, history.schema
        yield from (subject_of(tree) for tree in trees)
        dialects = dialects_of(gathered, root)
        yield from parts_of(trees, dialects, gathered)
        tables = [t for t in gathered.tables if gathered.owners.of(t.location.path) is root]
        yield from migrated_tables(tables, trees, schema)
        mapped = of_production(tables)
        yield from foreign_keys(mapped, schema, dialects)
        yield from associations(mapped, schema)
        yield from finds_or_creates(mapped, schema, gathered)
        yield from data_stores(root, gathered)
        yield origin_of(root, tables, trees, schema, gathered)
