"""Which schema changes stop the others' work on a table while they go through its rows, by the kind of database.

https://www.postgresql.org/docs/current/explicit-locking.html
https://dev.mysql.com/doc/refman/8.4/en/innodb-online-ddl-operations.html
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from assay.scanner.model.database import Dialect
from assay.scanner.model.migration import Locks
from assay.scanner.model.place import Evidence
from assay.scanner.model.schema import AddCheck, AddColumn, AddForeignKey, AddKey, AlterColumn, Default, Unclear
from assay.scanner.schema.column_types import rewrites
from assay.scanner.schema.existing import OnExisting


def locks_of(steps: Iterable[OnExisting], dialects: Collection[Dialect]) -> Locks:
    """What a migration's steps on existing tables lock; judged for PostgreSQL where nothing tells the database."""
    held: list[Evidence] = []
    broken: list[Evidence] = []
    unsure: list[Evidence] = []
    harmless: list[Evidence] = []
    for found in steps:
        place = found.change.location
        if isinstance(found.step, AddKey) and found.step.is_concurrent and found.change.in_transaction:
            broken.append(Evidence(place, "a concurrent build can't run inside a transaction"))
            continue
        if isinstance(found.step, Unclear):
            unsure.append(Evidence(place, "it can't be told what this does"))
            continue
        why = _why(found) if not dialects or Dialect.POSTGRESQL in dialects else None
        if why is None and (not dialects or Dialect.MYSQL in dialects):
            why = _rewriting(found)
        if why is None:
            harmless.append(Evidence(place, f"{found.change.operation} needs its lock for a moment only"))
        elif why:
            held.append(Evidence(place, why))
        else:
            unsure.append(Evidence(place, "does this change of type write all rows anew?"))
    return Locks(tuple(held), tuple(broken), tuple(unsure), tuple(harmless))


def _why(found: OnExisting) -> str | None:
    """Why PostgreSQL keeps others waiting; empty where that isn't sure, None where it doesn't."""
    match found.step:
        case AddKey(is_concurrent=False, is_built=False) if not found.is_new:
            return "writes wait while the index is built; build it concurrently"
        case AddForeignKey(is_valid=True) if not found.is_new:
            return "writes to both tables wait while all rows are checked; add it NOT VALID and validate it later"
        case AddCheck(is_valid=True):
            return "everything waits while all rows are checked; add it NOT VALID and validate it later"
        case AlterColumn():
            return _altered(found, found.step)
    return _rewriting(found)


def _altered(found: OnExisting, step: AlterColumn) -> str | None:
    before, declared = found.before, step.declared
    nullable = step.nullable if declared is None else declared.nullable
    if declared is not None and before is None:
        return None
    is_required_now = nullable is False and (before is None or before.nullable is not False)
    if is_required_now and not found.is_new and not found.is_checked:
        return "everything waits while all rows are checked for NULL; validate a NOT VALID check first"
    if declared is not None and before is not None:
        if (declared.is_unique, declared.is_indexed) > (before.is_unique, before.is_indexed):
            return "writes wait while the index is built; build it concurrently"
        if declared.refers_to is not None and before.refers_to is None:
            return "writes to both tables wait while all rows are checked; add it NOT VALID and validate it later"
    return _rewriting(found)


def _rewriting(found: OnExisting) -> str | None:
    """What every database has to write all rows anew for."""
    step = found.step
    if isinstance(step, AddColumn) and step.column.default is Default.VOLATILE:
        return "everything waits while each row gets a value of its own; add the column empty, and fill it in batches"
    if not isinstance(step, AlterColumn):
        return None
    type_ = step.type if step.declared is None else step.declared.type
    length = step.length if step.declared is None else step.declared.length
    if type_ is None or found.is_new:
        return None
    if found.before is None or not found.before.type:
        return ""
    if found.before.refers_to is not None or (step.declared is not None and step.declared.refers_to is not None):
        return None  # it takes its target's type
    answer = rewrites(found.before, type_, length)
    if answer is None:
        return ""
    return (
        "everything waits while all rows are written anew; fill a new column in batches, then switch"
        if answer
        else None
    )
