"""What a migration takes from the code that still runs while it does: the release before."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.model.migration import Breaks
from assay.scanner.model.place import Evidence
from assay.scanner.model.schema import (
    AddColumn,
    AlterColumn,
    Default,
    DropColumn,
    DropTable,
    RenameColumn,
    RenameTable,
    SchemaColumn,
    Unclear,
)
from assay.scanner.schema.existing import OnExisting

_OLD_COLUMN = "the release before knows the column by its old name"


def breaks_of(steps: Iterable[OnExisting], *, is_django: bool) -> Breaks:
    """Django selects all columns by name and inserts into all: what its models lose, the release before still names."""
    broken: list[Evidence] = []
    unsure: list[Evidence] = []
    harmless: list[Evidence] = []
    all_steps = list(steps)
    kept = _kept_names(all_steps)
    for index, found in enumerate(all_steps):
        why, is_sure = _why(found, is_django=is_django)
        if isinstance(found.step, RenameTable) and not kept.isdisjoint({found.table_name, _new_name(found.step)}):
            why = ""
        if why and isinstance(found.step, AddColumn):
            why, is_sure = _filled_later(found, all_steps[index + 1 :], why)
        place = found.change.location
        if why:
            (broken if is_sure else unsure).append(Evidence(place, why))
        else:
            harmless.append(Evidence(place, f"{found.change.operation} leaves the release before what it needs"))
    return Breaks(tuple(broken), tuple(unsure), tuple(harmless))


def _why(found: OnExisting, *, is_django: bool) -> tuple[str, bool]:
    """What breaks, and whether that is sure; an empty reason where nothing does."""
    step = found.step
    match step:
        case DropColumn() | DropTable():
            what = "column" if isinstance(step, DropColumn) else "table"
            if found.is_new:
                return "", True
            if is_django and not found.was_believed:
                return "", True  # the models lost it in an earlier release
            return f"the release before may still use this {what}; drop it one release after the code", is_django
        case RenameColumn():
            is_kept = found.before is not None and found.before.stored_as is not None
            return "" if found.is_new or is_kept else _OLD_COLUMN, True
        case RenameTable(name=name, table=table):
            return "" if is_django and _keeps_its_name(
                name, table, found
            ) else "the release before knows the table by its old name", True
        case AddColumn(column=column) if column.is_stored and not column.is_key:
            is_filled = column.nullable is not False or column.default is not Default.NONE
            return (
                ""
                if is_filled
                else "the release before inserts rows without it, and it has no default in the database",
                True,
            )
        case AlterColumn():
            return _altered(found, step)
        case Unclear():
            return "can the release before work with what this does?", False
    return "", True


def _keeps_its_name(name: str | None, table: str, found: OnExisting) -> bool:
    """Whether only the model gets another name, or what is renamed is no table: a sequence."""
    if found.table_name is None:
        return True
    if name is None:
        return found.table_name != table.replace(".", "_")
    return name == found.table_name


def _new_name(step: RenameTable) -> str:
    return step.name or step.to.replace(".", "_")


def _kept_names(steps: Iterable[OnExisting]) -> set[str]:
    """The tables that are called in the end as they were in the beginning: a renamed model may keep its table."""
    was: dict[str, str] = {}
    for found in steps:
        if isinstance(found.step, RenameTable) and found.table_name is not None:
            was[_new_name(found.step)] = was.pop(found.table_name, found.table_name)
    return {name for name, old in was.items() if name == old}


def _filled_later(added: OnExisting, later: Iterable[OnExisting], why: str) -> tuple[str, bool]:
    """Whether the same migration gives the new column a default of the database's after all."""
    is_sure = True
    for found in later:
        step = found.step
        if isinstance(step, Unclear) and step.table == getattr(added.step, "table", None):
            is_sure = False
        elif isinstance(step, AlterColumn) and _is_of(step, added, found):
            default = step.default if step.declared is None else step.declared.default
            why = "" if default not in (None, Default.NONE) else why
    return why, is_sure


def _is_of(step: AlterColumn, added: OnExisting, found: OnExisting) -> bool:
    """Raw SQL says `shop_order` and `item_id` where Django says `shop.order` and `item`."""
    if not isinstance(added.step, AddColumn) or found.table_name != added.table_name:
        return False
    return step.column in (added.step.column.name, f"{added.step.column.name}_id")


def _altered(found: OnExisting, step: AlterColumn) -> tuple[str, bool]:
    before, declared = found.before, step.declared
    if declared is not None and before is not None and _stored(declared) != _stored(before):
        return _OLD_COLUMN, True
    nullable = step.nullable if declared is None else declared.nullable
    default = step.default if declared is None else declared.default
    has_default = (default or (before.default if before is not None else Default.NONE)) is not Default.NONE
    was_required = before is not None and before.nullable is False
    if before is not None and was_required and before.default is not Default.NONE and default is Default.NONE:
        if found.is_new:
            return "the release before inserts rows without it, and it loses its default in the database", True
        return "does the release before always fill the column, which loses its default in the database?", False
    if nullable is not False or was_required or has_default or (declared is not None and before is None):
        return "", True
    if found.is_new:
        return "the release before doesn't know the column, and can't insert rows any more", True
    return "does the release before always fill the column, which must not be empty any more?", False


def _stored(column: SchemaColumn) -> str:
    return (column.stored_as or column.name).removesuffix("_id")
