"""The tables in which django-simple-history keeps what models were: a copy of each row, and who changed it when.

https://django-simple-history.readthedocs.io/en/latest/
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assay.scanner.framework import Sited
from assay.scanner.frameworks.django.constants import Evaluator
from assay.scanner.frameworks.django.fields import all_fields, app_label, columns_of
from assay.scanner.frameworks.django.models import is_abstract, is_model
from assay.scanner.frameworks.django.views import constant_strings
from assay.scanner.linker.project import Project, last_part
from assay.scanner.linker.scopes import ClassSymbol, Scope
from assay.scanner.linker.values import External
from assay.scanner.model.table import Column, Table
from assay.scanner.readers.python import form

_RECORDS = "HistoricalRecords"
_COPIED_AS = {"AutoField": "IntegerField", "BigAutoField": "BigIntegerField", "OneToOneField": "ForeignKey"}
_ADDED = (
    ("history_date", "DateTimeField", True), ("history_change_reason", "CharField", False),
    ("history_type", "CharField", False), ("history_user", "ForeignKey", True),
)  # fmt: skip


def history_of(cls: ClassSymbol, own: Table, project: Project) -> Table | None:
    """The table of `history = HistoricalRecords()` in a model, or in a base that hands it on; `own` is the model's."""
    for base in project.mro(cls):
        for bindings in base.scope.bindings.values() if isinstance(base, ClassSymbol) else ():
            call = bindings[-1].value
            if isinstance(call, form.Call) and _keeps_history(call, bindings[-1].scope, project):
                is_own = base is cls
                return _table(call, cls, own, project, is_own=is_own) if is_own or _is_handed_on(call) else None
    return None


def _keeps_history(call: form.Call, scope: Scope, project: Project) -> bool:
    value = project.infer(call.func, scope)
    names = project.base_names(value) if isinstance(value, ClassSymbol) else set()
    names |= {value.name} if isinstance(value, External) else set()
    return any(name.startswith("simple_history.") and last_part(name) == _RECORDS for name in names)


def _is_handed_on(call: form.Call) -> bool:
    inherit = call.keyword("inherit")
    return isinstance(inherit, form.Const) and inherit.value is True


def _table(call: form.Call, cls: ClassSymbol, own: Table, project: Project, *, is_own: bool) -> Table:
    def text(name: str) -> str | None:
        value = call.keyword(name)
        return Evaluator(project).text(Sited(value, cls.scope)) if value is not None and is_own else None

    excluded = call.keyword("excluded_fields")
    left_out = set(constant_strings(excluded.items)) if isinstance(excluded, form.Display) else set()
    left_out |= {name for name, field in all_fields(cls, project).items() if field.is_to_many}
    copied = {c.name: _copied(c) for c in _all_columns(cls, own, project) if c.type != "ManyToManyField"}
    columns = [column for name, column in copied.items() if name not in left_out]
    place = cls.location
    key = Column("history_id", "AutoField", place, indexed=True, unique=True)
    added = [Column(name, type_, place, indexed) for name, type_, indexed in _ADDED]
    name = text("table_name") or f"{text('app') or app_label(cls, project)}_historical{cls.name.lower()}"
    return Table(name, f"Historical{cls.name}", place, cls.module.role, own.framework, (*columns, key, *added))


def _all_columns(cls: ClassSymbol, own: Table, project: Project) -> Iterator[Column]:
    """The columns of the model, and those of its parents' tables."""
    yield from own.columns
    for base in project.mro(cls)[1:]:
        if isinstance(base, ClassSymbol) and is_model(base, project) and not is_abstract(base, project):
            yield from columns_of(base, project)


def _copied(column: Column) -> Column:
    """A copied column is not unique any more; a key's copy keeps its index."""
    return replace(column, type=_COPIED_AS.get(column.type, column.type), unique=False)
