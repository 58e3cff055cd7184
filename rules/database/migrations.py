"""DB3: every schema change is a safe, reversible, versioned migration; backups are proven."""

from __future__ import annotations

from assay.scanner.model.data_store import DataStore
from assay.scanner.model.database import Dialect
from assay.scanner.model.drift import MigratedTable
from assay.scanner.model.migration import MigrationStep, MigrationTree, SchemaOrigin
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "DB301",
    severity=Severity.HIGH,
    references=(
        "https://alembic.sqlalchemy.org/en/latest/tutorial.html",
        "https://docs.djangoproject.com/en/stable/topics/migrations/",
    ),
)
def schema_built_outside_migrations(origin: SchemaOrigin, service: Service) -> Verdict:
    """The service's tables are made by something else than migrations.

    Why: create_all() makes what is missing and changes nothing: the first changed column needs a person at the
    production database, and no two databases are known to be alike.
    Fix: adopt migrations (Alembic, Django's), generate the first from today's schema, and run them before the service
    starts.
    """
    if not origin.tables:
        return not_applicable("it maps no tables")
    if origin.made_at_run_time:
        return fail(
            f"{origin.label}: the service makes tables itself while it starts or runs", *origin.made_at_run_time
        )
    if not origin.migrated_by and origin.own_tool:
        return review(f"{origin.label}: is this how its {origin.tables} tables are migrated?", *origin.own_tool)
    if not origin.migrated_by and (origin.perhaps_at_run_time or origin.made_by_hand):
        evidence = (*origin.perhaps_at_run_time, *origin.made_by_hand)
        return fail(f"{origin.label}: its {origin.tables} tables are made without migrations", *evidence)
    if not origin.migrated_by:
        return review(f"{origin.label}: nothing tells how its {origin.tables} tables are made; are there migrations?")
    if origin.perhaps_at_run_time:
        return review(
            "there are migrations: does the running service make tables here, too?", *origin.perhaps_at_run_time
        )
    if origin.made_by_hand and origin.starts_elsewhere:
        return review(
            "do migrations and this make the same tables? The first ones are not migrated", *origin.made_by_hand
        )
    return passed("its tables are made by migrations", *origin.migrated_by)


@rule(
    "DB302",
    severity=Severity.HIGH,
    references=(
        "https://alembic.sqlalchemy.org/en/latest/autogenerate.html#running-alembic-check-to-test-for-new-upgrade-operations",
        "https://docs.djangoproject.com/en/stable/ref/django-admin/#cmdoption-makemigrations-check",
    ),
)
def model_migration_drift(table: MigratedTable, service: Service) -> Verdict:
    """A model declares another table than the migrations make.

    Why: code that names a column which no migration adds fails in production, and the next generated migration changes
    more than its author meant.
    Fix: generate the migration that is missing (`makemigrations`, `alembic revision --autogenerate`), and let CI check
    that none is (`makemigrations --check`, `alembic check`).
    """
    if not table.is_migrated:
        return not_applicable("its beginning is not among the migrations")
    if table.differences and table.is_sure:
        return fail(f"{table.label} and its migrations have parted; generate the missing one", *table.differences)
    if table.differences:
        return review(f"not all of {table.label} can be told: do model and migrations differ?", *table.differences)
    return passed(f"replaying the migrations gives its {table.size} columns")


@rule(
    "DB304",
    severity=Severity.HIGH,
    references=(
        "https://alembic.sqlalchemy.org/en/latest/branches.html",
        "https://docs.djangoproject.com/en/stable/topics/migrations/#version-control",
    ),
)
def broken_migration_graph(tree: MigrationTree, service: Service) -> Verdict:
    """The migrations don't form one history that leads to one schema.

    Why: with two heads, a missing parent or one name twice the command that migrates stops, and so does the release.
    Fix: write a merge (`alembic merge heads`, `makemigrations --merge`), or let the later one build on the other.
    """
    if tree.repeated:
        return fail(f"{tree.label}: two have one name, so neither can be told from the other", *tree.repeated)
    if tree.circular:
        return fail(f"{tree.label}: some build on each other, so none of them can run first", *tree.circular)
    if tree.unplaced:
        return review(f"{tree.label}: what do these build on?", *tree.unplaced)
    if tree.missing:
        return fail(f"{tree.label}: one builds on a migration that isn't there", *tree.missing)
    if len(tree.heads) > 1 and tree.is_branched:
        return not_applicable("each of its heads ends a branch that is declared with a label of its own")
    if len(tree.heads) > 1:
        return fail(f"{tree.label} have {len(tree.heads)} heads; merge them into one", *tree.heads)
    return passed(f"{tree.label} lead to one head", *tree.heads, *tree.merges)


@rule(
    "DB305",
    severity=Severity.MEDIUM,
    references=(
        "https://docs.djangoproject.com/en/stable/topics/migrations/#reversing-migrations",
        "https://alembic.sqlalchemy.org/en/latest/tutorial.html#running-our-first-migration",
    ),
)
def migration_cannot_be_undone(part: MigrationStep, service: Service) -> Verdict:
    """A new migration has no way back that works.

    Why: when the release fails the database has to go back with the code, in the middle of the night, by hand.
    Fix: write and try the way back: the inverse of each operation, reverse_code or noop for RunPython, and names for
    constraints that it has to drop.
    """
    back = part.going_back
    if part.migration is None:
        return not_applicable(part.released)
    if not part.migration.changes:
        return not_applicable("it changes nothing: it only joins others")
    if back.crashes:
        return fail(f"{part.label} crashes on its way back: a constraint has no name; give it one", *back.crashes)
    if back.refusal is not None:
        return review("going back is refused on purpose: is there another way to take the release back?", back.refusal)
    if back.left:
        return fail(f"{part.label} can't be undone; write the way back", *back.left)
    if back.unsure:
        return review(f"does the way back of {part.label} take this back?", *back.unsure)
    if not back.changes_schema:
        return passed("it changes rows only, and the schema stays as it was")
    return passed("all that it changes is taken back", *back.undone)


@rule(
    "DB306",
    severity=Severity.HIGH,
    references=(
        "https://www.postgresql.org/docs/current/sql-createindex.html#SQL-CREATEINDEX-CONCURRENTLY",
        "https://www.postgresql.org/docs/current/sql-altertable.html#SQL-ALTERTABLE-NOTES",
    ),
)
def table_locking_schema_change(part: MigrationStep, service: Service) -> Verdict:
    """A new migration locks a table in use for as long as all its rows take.

    Why: every request that needs the table waits, connections run out, and the whole service stands still.
    Fix: build indexes concurrently outside of a transaction, add constraints NOT VALID and validate them later, fill
    new columns in batches.
    """
    locks = part.locks
    if part.migration is None:
        return not_applicable(part.released)
    if part.has_downtime:
        return not_applicable("the configuration says that the service stands still while it is migrated")
    if part.dialects and part.dialects.isdisjoint({Dialect.POSTGRESQL, Dialect.MYSQL}):
        return not_applicable(f"what {_either(part.dialects)} locks is not judged")
    if not (locks.held or locks.broken or locks.unsure or locks.harmless):
        return not_applicable("it touches no table that was there before")
    if locks.broken:
        return fail(f"{part.label} can't run: a concurrent build needs to be outside of a transaction", *locks.broken)
    if locks.held and not part.dialects:
        return review("is this for PostgreSQL? Then the table is locked for as long as all its rows take", *locks.held)
    if locks.held:
        return fail(f"{part.label} locks a table while it goes through all its rows", *locks.held)
    if locks.unsure:
        return review(f"for how long does {part.label} lock a table?", *locks.unsure)
    return passed("each of its changes needs a lock for a moment only", *locks.harmless)


@rule(
    "DB307",
    severity=Severity.HIGH,
    references=(
        "https://martinfowler.com/bliki/ParallelChange.html",
        "https://docs.djangoproject.com/en/stable/ref/models/fields/#db-default",
    ),
)
def change_breaks_running_release(part: MigrationStep, service: Service) -> Verdict:
    """A new migration takes from the release that still runs what it needs.

    Why: while a release rolls out, and whenever it is taken back, the old code works with the new schema: its inserts
    and selects fail.
    Fix: expand first (nullable, or with a default in the database), release the code, and drop or tighten one release
    later.
    """
    breaks = part.breaks
    if part.migration is None:
        return not_applicable(part.released)
    if part.has_downtime:
        return not_applicable("the configuration says that the service stands still while it is migrated")
    if part.dialects == {Dialect.SQLITE}:
        return not_applicable("only one release at a time uses a SQLite file")
    if not (breaks.broken or breaks.unsure or breaks.harmless):
        return not_applicable("it touches no table that was there before")
    if breaks.broken:
        return fail(f"{part.label} breaks the release that runs while it is migrated", *breaks.broken)
    if breaks.unsure:
        return review(f"does the release before {part.label} get along with it?", *breaks.unsure)
    return passed("the release before works with the new schema, too", *breaks.harmless)


@rule(
    "DB309",
    severity=Severity.HIGH,
    references=("https://www.postgresql.org/docs/current/backup.html",),
)
def backup_or_restore_missing(store: DataStore, service: Service) -> Verdict:
    """A database that the repository deploys has no backup that anybody has restored.

    Why: a volume, an operator's mistake or an encrypted host takes all data at once, and an untried backup is a hope.
    Fix: take a backup by a schedule to another place, keep the way back as a script or runbook, and try it regularly.
    """
    if store.backups and store.restores:
        return passed("it is backed up by a schedule, and there is a way back", *store.backups, *store.restores)
    if store.backups:
        return review(f"{store.label} is backed up: was a backup ever restored, and how?", *store.backups)
    if store.dumps:
        return review(f"{store.label}: does anything run this by a schedule, and was it restored?", *store.dumps)
    if store.is_for_production:
        return fail(f"nothing backs up {store.label}; take backups by a schedule and try to restore them", store.place)
    return review(f"is {store.label} used in production? Nothing backs it up", store.place)


def _either(dialects: frozenset[Dialect]) -> str:
    return " or ".join(sorted(dialect.value for dialect in dialects))
