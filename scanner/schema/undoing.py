"""Whether a migration can be undone: what its way back takes back of what its way forward does."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.model.migration import GoingBack, Migration, SchemaChange
from assay.scanner.model.place import Evidence
from assay.scanner.model.schema import (
    AddCheck,
    AddColumn,
    AddForeignKey,
    AddKey,
    AlterColumn,
    ChangeData,
    CreateTable,
    DropColumn,
    DropConstraint,
    DropKey,
    DropTable,
    RenameColumn,
    RenameTable,
    SchemaStep,
    Unclear,
)

_BY_ITSELF = "Django ORM"
"""Goes back by the operations themselves; only some of them need to be told how."""


def going_back(migration: Migration) -> GoingBack:
    """What undoing it comes to."""
    does = [(c, s) for c in migration.changes for s in c.steps]
    changes_schema = any(not isinstance(s, ChangeData) for _, s in does)
    if migration.framework == _BY_ITSELF:
        stuck = tuple(_told(c, "can't be undone") for c in migration.changes if not c.is_reversible)
        begun = tuple(_told(c, "is undone") for c in migration.changes[:1])
        return GoingBack(left=stuck, undone=begun, changes_schema=changes_schema or bool(stuck))
    way_back = [s for c in migration.reversals for s in c.steps]
    crashes = tuple(
        _told(c, "needs the constraint's name")
        for c in migration.reversals
        if any(isinstance(s, DropConstraint) and s.name is None for s in c.steps)
    )
    unclear = tuple(
        _told(c, "can't be told what it does")
        for c in migration.reversals
        if any(isinstance(s, Unclear) for s in c.steps)
    )
    made = {s.table for _, s in does if isinstance(s, CreateTable)}
    left: list[Evidence] = []
    unsure: list[Evidence] = []
    passing = _passing([step for _, step in does])
    for index, (change, step) in enumerate(does):
        if index in passing:
            continue
        if isinstance(step, Unclear):
            unsure.append(_told(change, "can't be told what it does"))
        elif not _is_undone(step, way_back, made):
            left.append(_told(change, "is not taken back"))
    if unclear:
        unsure += [*unclear, *left]
        left = []
    undone = tuple(_told(c, "takes it back") for c in migration.reversals)
    return GoingBack(crashes, tuple(left), tuple(unsure), undone, migration.refusal, changes_schema)


def _told(change: SchemaChange, what: str) -> Evidence:
    return Evidence(change.location, f"{change.operation} {what}")


def _passing(steps: list[SchemaStep]) -> set[int]:
    """The steps that add something, and take it away again in the end: a check that only helps on the way."""
    found: set[int] = set()
    for later, step in enumerate(steps):
        if isinstance(step, DropColumn | DropConstraint | DropKey):
            for earlier, added in enumerate(steps[:later]):
                if _takes_away(step, added):
                    found |= {earlier, later}
    return found


def _takes_away(step: DropColumn | DropConstraint | DropKey, added: SchemaStep) -> bool:
    if isinstance(step, DropColumn):
        return isinstance(added, AddColumn) and (added.table, added.column.name) == (step.table, step.column)
    return (
        isinstance(added, AddKey | AddForeignKey | AddCheck) and step.name is not None and _name_of(added) == step.name
    )


def _is_undone(step: SchemaStep, back: Iterable[SchemaStep], made: set[str]) -> bool:
    """Whether one of the steps back takes the step's result away, or puts what it took back."""
    if isinstance(step, ChangeData | Unclear):
        return True
    table = step.table
    if table in made and not isinstance(step, CreateTable | RenameTable):
        return True  # it goes with the table
    return any(_undoes(other, step) for other in back)


def _undoes(back: SchemaStep, step: SchemaStep) -> bool:
    if isinstance(back, DropTable) and not isinstance(step, DropTable | DropColumn | DropConstraint | DropKey):
        return back.table == getattr(step, "table", None)
    match step:
        case DropTable(table):
            return isinstance(back, CreateTable) and back.table == table
        case RenameTable(table, to):
            return isinstance(back, RenameTable) and (back.table, back.to) == (to, table)
        case AddColumn(table, column):
            return isinstance(back, DropColumn) and (back.table, back.column) == (table, column.name)
        case DropColumn(table, name):
            return isinstance(back, AddColumn) and (back.table, back.column.name) == (table, name)
        case RenameColumn(table, name, to):
            return isinstance(back, RenameColumn) and (back.column, back.to) == (to, name)
        case AlterColumn(table, name):
            return isinstance(back, AlterColumn | DropColumn | RenameColumn) and name in (
                back.column,
                getattr(back, "to", None),
            )
        case AddKey() | AddForeignKey() | AddCheck():
            return _drops(back, step)
        case DropKey(_, name) | DropConstraint(_, name):
            return isinstance(back, AddKey | AddForeignKey | AddCheck) and (name is None or name == _name_of(back))
    return True


def _name_of(step: AddKey | AddForeignKey | AddCheck) -> str | None:
    return step.key.name if isinstance(step, AddKey) else step.name


def _drops(back: SchemaStep, step: AddKey | AddForeignKey | AddCheck) -> bool:
    """By name, or with a column that it is about; a name that isn't given on both sides can't be compared."""
    columns = step.key.columns if isinstance(step, AddKey) else step.columns if isinstance(step, AddForeignKey) else ()
    if isinstance(back, DropColumn):
        return back.table == step.table and back.column in columns
    name = _name_of(step)
    return isinstance(back, DropKey | DropConstraint) and (name is None or back.name is None or back.name == name)
