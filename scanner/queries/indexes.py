"""Which keys lead a query to its rows, by the conditions that they have to meet."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import Project
from assay.scanner.model.schema import Key, KeyKind, SchemaTable
from assay.scanner.model.table import Column, Table
from assay.scanner.queries.conditions import Condition, Part, Test
from assay.scanner.readers.python import form

_KINDS = frozenset(
    """status state type kind role level priority severity category class visibility gender sex language lang locale
    currency country region city mode stage phase format provider platform channel source direction plan tier color
    unit environment env active enabled disabled deleted archived public private published verified read seen flag
    flagged position order rank step year month weekday version approved confirmed completed done default hidden
    locked banned blocked staff superuser admin internal external pinned draft spam revoked used model method result
    action event quantity count amount price rating score total size age""".split()
)  # fmt: skip
"""Last words of columns that hold one of few values, or by which nobody looks a row up."""
_QUESTIONS = frozenset({"is", "has", "can", "was", "should", "needs", "allow", "allows", "use", "show", "include"})
_SECRETS = frozenset({"password", "passwd", "pwd", "passphrase"})
_FEW_VALUES = re.compile(r"Bool|Enum|Choice|JSON|ARRAY|Array|Float|Numeric|Decimal|SmallInt|Interval", re.IGNORECASE)
_TIMES = re.compile(r"date|time", re.IGNORECASE)
_TIME_NAMES = frozenset({"at", "on", "date", "time", "timestamp", "created", "updated", "modified", "expires"})

_ENDS = frozenset({"expires", "expire", "expired", "expiry", "expiration", "end", "ends", "until", "due", "deadline"})
"""Words of times that most rows are before, once the others are cleared away."""


class Lead(IntEnum):
    """What conditions that all have to hold lead to, the decisive one last."""

    NOWHERE = 0
    """All of them leave many rows."""
    ALL_ROWS = 1
    """They pick few rows, and each row is looked at for them."""
    REFERENCE = 2
    """They go by a foreign key without an index."""
    UNKNOWN = 3
    KEY = 4


@dataclass(frozen=True, slots=True)
class Way:
    """How a query gets at its rows: by a key, or past which columns."""

    lead: Lead
    key: Key | None = None
    at: tuple[Condition, ...] = ()


@dataclass(frozen=True, slots=True)
class Indexes:
    """Knows the keys of models and those that migrations add."""

    schema: Mapping[str, SchemaTable]
    """What migrations make, by the table's name."""
    project: Project

    def way(self, parts: Sequence[Part], sort: Condition | None = None) -> Way:
        """By conditions that all have to hold."""
        asked = [p for p in parts if isinstance(p, Condition)]
        together = {(c.table.name, c.column.name) for c in [*asked, *([sort] if sort is not None else [])]}
        ways = [self._of(part, together) for part in parts]
        lead = max((w.lead for w in ways), default=Lead.NOWHERE)
        return Way(
            lead,
            next((w.key for w in ways if w.key is not None and w.lead is lead), None),
            tuple(c for w in ways if w.lead is lead for c in w.at),
        )

    def for_sort(self, parts: Sequence[Part], sort: Condition) -> Key | None:
        """A key that has the order, alone or behind columns that are compared with one value."""
        fixed = {p.column.name for p in parts if isinstance(p, Condition) and p.table is sort.table}
        for key in self.keys(sort.table):
            if sort.column.name in key.columns:
                before = key.columns[: key.columns.index(sort.column.name)]
                if fixed.issuperset(before):
                    return key
        return None

    def _of(self, part: Part, together: set[tuple[str, str]]) -> Way:
        if part is None:
            return Way(Lead.UNKNOWN)
        if not isinstance(part, Condition):
            ways = [self.way(way) for way in part.ways]
            if any(w.lead is Lead.NOWHERE for w in ways):
                return Way(Lead.NOWHERE)
            for lead in (Lead.UNKNOWN, Lead.ALL_ROWS, Lead.REFERENCE, Lead.KEY):
                found = [w for w in ways if w.lead is lead]
                if found:
                    return Way(lead, found[0].key, tuple(c for w in found for c in w.at))
            return Way(Lead.UNKNOWN)
        key = self._serving(part, together)
        if key is not None:
            return Way(Lead.KEY, key, (part,))
        if part.column.fk_to is not None:
            return Way(Lead.NOWHERE if part.is_loose else Lead.REFERENCE, None, (part,))
        return Way(Lead.ALL_ROWS if self._picks_few(part) else Lead.NOWHERE, None, (part,))

    def _serving(self, part: Condition, together: set[tuple[str, str]]) -> Key | None:
        """A key that begins with the column; one of few values only counts with the next column asked for too."""
        for key in self.keys(part.table):
            if key.columns[:1] != (part.column.name,):
                continue
            if key.is_unique or not part.is_loose:
                return key
            if len(key.columns) > 1 and (part.table.name, key.columns[1]) in together:
                return key
        return None

    def is_whole(self, table: Table) -> bool:
        """Whether all keys are known: migrations may do to it what can't be told, or another may make the table."""
        migrated = self.schema.get(table.name)
        if migrated is None:
            return table.framework != "SQLAlchemy" or not any(t.is_created for t in self.schema.values())
        return migrated.is_whole or not migrated.is_created

    def over_expression(self, table: Table) -> Key | None:
        """A key that begins with an expression: `Lower("email")`."""
        return next((key for key in self.keys(table) if key.columns[:1] == ("",)), None)

    def keys(self, table: Table) -> list[Key]:
        """Those of the model and of migrations."""
        migrated = self.schema.get(table.name)
        of_columns = [
            Key((c.name,), KeyKind.UNIQUE if c.unique else KeyKind.INDEX, location=c.location)
            for c in table.columns
            if c.indexed or c.unique
        ]
        return [*table.keys, *of_columns, *(migrated.all_keys if migrated is not None else ())]

    def _picks_few(self, part: Condition) -> bool:
        if part.is_loose or self._has_few_values(part):
            return False
        if part.test is not Test.FROM:
            return True
        return is_time(part.column) and _ENDS.isdisjoint(words(part.column.name))

    def _has_few_values(self, part: Condition) -> bool:
        name = words(part.column.name)
        if not _SECRETS.isdisjoint(name):
            return True  # it is compared once the row is found
        if not name or name[-1] in _KINDS or name[0] in _QUESTIONS or _FEW_VALUES.search(part.column.type):
            return True
        for cls in self.project.classes_named(part.table.model):
            stated = self.project.class_attribute(cls, part.column.name)
            if stated is not None and isinstance(stated[0], form.Call) and stated[0].keyword("choices") is not None:
                return True
        return False


def is_time(column: Column) -> bool:
    """Whether it holds a point in time."""
    name = words(column.name)
    return bool(_TIMES.search(column.type)) or (bool(name) and name[-1] in _TIME_NAMES)
