"""The migrations of each service and the schema that they leave, worked out once for all who ask."""

from __future__ import annotations

from dataclasses import dataclass
from weakref import WeakKeyDictionary

from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import Project
from assay.scanner.model.migration import Migration
from assay.scanner.model.schema import Schema
from assay.scanner.schema.drift import migrations_of
from assay.scanner.schema.replay import schema_of
from assay.scanner.schema.trees import Tree, trees_of
from assay.scanner.services import ServiceRoot


@dataclass(frozen=True, slots=True)
class Replayed:
    """The trees of a service's migrations, and what is there after all of them."""

    trees: list[Tree]
    schema: Schema


_KNOWN: WeakKeyDictionary[Project, dict[ServiceRoot, Replayed]] = WeakKeyDictionary()


def replayed(gathered: Gathered) -> dict[ServiceRoot, Replayed]:
    """By service; those without migrations have an empty schema."""
    known = _KNOWN.get(gathered.project)
    if known is None:
        owned: dict[ServiceRoot, list[Migration]] = {}
        for migration in gathered.migrations:
            owner = gathered.owners.of(migration.location.path)
            if owner is not None:
                owned.setdefault(owner, []).append(migration)
        trees = {owner: trees_of(owned.get(owner, [])) for owner in gathered.services}
        known = {owner: Replayed(found, schema_of(migrations_of(found))) for owner, found in trees.items()}
        _KNOWN[gathered.project] = known
    return known
