"""A migration: one step of a schema's history, and what it does to the schema."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.database import Dialect
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.schema import SchemaStep

UNKNOWN_PARENT = "?"
"""In place of a parent that is computed at run time."""


@dataclass(frozen=True, slots=True)
class SchemaChange:
    """One operation, by the migration library's own name for it: `add_column`, `AddField`.

    `table` is the table's name in the database where it can be told (Django: `app_model`); `column` is the column,
    index or constraint that is meant. `steps` say in general terms what it does to the schema. `is_conditional`: only
    where a test at run time says so. `in_transaction` is False where it runs outside of any, `is_reversible` where the
    library stops at it on the way back.
    """

    operation: str
    location: Location
    table: str | None = None
    column: str | None = None
    steps: tuple[SchemaStep, ...] = ()
    is_conditional: bool = False
    in_transaction: bool = True
    is_reversible: bool = True


@dataclass(frozen=True, slots=True)
class Migration:
    """`name` is the revision (Alembic) or `app.0001_initial` (Django); `parents` are those it builds on.

    `changes` go forward, `reversals` back; `is_reversible` is False where going back raises or does nothing although
    there is something to undo. `believed` are the changes of the schema that the library goes by, where they aren't
    those of the database (Django's `state_operations`). `replaces` are those that it was squashed from, `labels` the
    branches that it is declared to begin (Alembic).
    """

    name: str
    parents: tuple[str, ...]
    framework: str
    location: Location
    role: Role
    changes: tuple[SchemaChange, ...] = ()
    reversals: tuple[SchemaChange, ...] = ()
    is_reversible: bool = True
    believed: tuple[SchemaChange, ...] | None = None
    replaces: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()
    refusal: Evidence | None = None
    """Where going back is refused, with the reason that is given."""
    is_placed: bool = True
    """Whether all that it builds on could be told."""

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"migration {self.name}"


@dataclass(frozen=True, slots=True)
class MigrationTree:
    """A history of a schema: one Django app's, or one of Alembic's folders of revisions.

    `name` is the app's label, or the folder. `heads` are the migrations that none builds on, the newest by name last.
    `missing` are those that build on one that isn't there, `repeated` those whose name another one has, `circular`
    those that build on themselves. `is_branched`: each head ends a branch that is declared to be one. `merges` join
    what was several heads. `unplaced` are migrations of which nobody can tell what they build on.
    """

    name: str
    framework: str
    location: Location
    role: Role
    size: int
    heads: tuple[Evidence, ...] = ()
    missing: tuple[Evidence, ...] = ()
    repeated: tuple[Evidence, ...] = ()
    circular: tuple[Evidence, ...] = ()
    unplaced: tuple[Evidence, ...] = ()
    merges: tuple[Evidence, ...] = ()
    is_branched: bool = False

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"migrations of {self.name}"


@dataclass(frozen=True, slots=True)
class GoingBack:
    """What undoing a migration comes to. `crashes` are what can't run on the way back, `left` what stays as it was
    made, `unsure` what can't be told; `undone` is what shows that it is taken back.
    """

    crashes: tuple[Evidence, ...] = ()
    left: tuple[Evidence, ...] = ()
    unsure: tuple[Evidence, ...] = ()
    undone: tuple[Evidence, ...] = ()
    refusal: Evidence | None = None
    changes_schema: bool = True


@dataclass(frozen=True, slots=True)
class Locks:
    """What a migration does to tables with rows. `held` locks one for as long as all its rows take, `broken` can't run
    as it stands, `unsure` can't be told; `harmless` needs a lock for a moment only.
    """

    held: tuple[Evidence, ...] = ()
    broken: tuple[Evidence, ...] = ()
    unsure: tuple[Evidence, ...] = ()
    harmless: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class Breaks:
    """What a migration does to the release that still runs. `broken` takes away what that names or adds what it can't
    fill, `unsure` may; `harmless` doesn't.
    """

    broken: tuple[Evidence, ...] = ()
    unsure: tuple[Evidence, ...] = ()
    harmless: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True)
class MigrationStep:
    """A part of a tree of migrations that is judged as one: a migration that may still be changed, or all those that
    have run everywhere. `size` is how many there are. `dialects` are the databases that it may run on, none where
    nothing tells; `has_downtime` says that no release runs meanwhile.
    """

    name: str
    tree: str
    location: Location
    role: Role
    size: int = 1
    migration: Migration | None = None
    going_back: GoingBack = GoingBack()
    locks: Locks = Locks()
    breaks: Breaks = Breaks()
    dialects: frozenset[Dialect] = frozenset()
    has_downtime: bool = False

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"migration {self.name}" if self.migration is not None else f"released migrations of {self.tree}"

    @property
    def released(self) -> str:
        """What the rules about single migrations say of those that have run everywhere."""
        return (
            f"{self.size} of {self.tree} count as released: they have run, and changing them mends nothing "
            "(--since, the gate's base and [migrations] baseline tell which are newer)"
        )


@dataclass(frozen=True, slots=True)
class SchemaOrigin:
    """How a service's tables come to be. `migrated_by` shows its migrations, of whatever tool.

    `made_at_run_time` are the places where the running service makes tables by itself, `perhaps_at_run_time` those of
    which it can't be told when they run; `made_by_hand` those of commands. `starts_elsewhere`: migrations change tables
    that none of them makes.
    """

    service: str
    location: Location
    role: Role
    tables: int
    migrated_by: tuple[Evidence, ...] = ()
    made_at_run_time: tuple[Evidence, ...] = ()
    perhaps_at_run_time: tuple[Evidence, ...] = ()
    made_by_hand: tuple[Evidence, ...] = ()
    starts_elsewhere: bool = False
    own_tool: tuple[Evidence, ...] = ()
    """Modules of the service that may be a migration tool of its own."""

    @property
    def subject_id(self) -> str:
        return self.service

    @property
    def label(self) -> str:
        return f"schema of {self.service}"
