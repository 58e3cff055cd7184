"""Runs: what a branch's scans told, written down only where it changed.

A scan tells a value for each of some keys, such as the counts of each rule. A run is a key's value with the first and
the last scan in a row that told it. Runs are as long as they can be, whatever the order in which scans come and go:
a report of last year may be added today, and a scan of an equal commit replaces the one before.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import Connection, Table, bindparam, delete, insert, select, update

from assay.scanner.history.tables import FOREVER, FindingRun, PrincipleRun, RuleRun, Run, SectionRun

__all__ = ["FINDINGS", "PRINCIPLES", "RULES", "SECTIONS", "Key", "Place", "Runs", "Value"]

Key = str | int
Value = tuple[object, ...]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a scan is in its branch: its moment, and those of the scans before and after it, where there are any."""

    branch: int
    at: datetime
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True)
class _Stored:
    """A run as it is in the table."""

    id: int
    key: Key
    value: Value
    first: datetime
    last: datetime


@dataclass(slots=True)
class _Edits:
    """What is to be done to the table."""

    added: list[tuple[Key, Value, datetime, datetime]]
    first: dict[int, datetime]
    last: dict[int, datetime]
    gone: list[int]


@dataclass(frozen=True, slots=True)
class Runs:
    """One table of runs, with the names of its key and of what makes a value."""

    table: Table
    key: str
    values: tuple[str, ...]

    def put(self, connection: Connection, place: Place, told: Mapping[Key, Value]) -> None:
        """A scan that is new in its branch tells these values."""
        edits = _Edits([], {}, {}, [])
        left = dict(told)
        for run in self._around(connection, place):
            held_before = place.before is not None and run.first <= place.before
            # What holds in the newest scan goes on into whatever comes.
            holds_after = run.last == FOREVER if place.after is None else run.first <= place.after <= run.last
            if left.get(run.key) == run.value:
                del left[run.key]
                if not held_before:
                    edits.first[run.id] = place.at
                elif not holds_after:
                    edits.last[run.id] = place.at
            elif held_before and holds_after:
                assert place.before is not None
                edits.last[run.id] = place.before
                if place.after is not None:
                    edits.added.append((run.key, run.value, place.after, run.last))
        end = FOREVER if place.after is None else place.at
        edits.added += ((key, value, place.at, end) for key, value in left.items())
        self._apply(connection, place.branch, edits)

    def take(self, connection: Connection, place: Place) -> None:
        """A scan of the branch is no more: what it interrupted is one again."""
        edits = _Edits([], {}, {}, [])
        ended: dict[tuple[Key, Value], int] = {}
        begun: dict[tuple[Key, Value], _Stored] = {}
        newest = FOREVER if place.after is None else place.at
        for run in self._around(connection, place):
            first, last = run.first, run.last
            if (first, last) == (place.at, newest):
                edits.gone.append(run.id)
                continue
            if first == place.at:
                assert place.after is not None
                first = edits.first[run.id] = place.after
            elif last == place.at:
                assert place.before is not None
                last = edits.last[run.id] = place.before
            if last == place.before:
                ended[run.key, run.value] = run.id
            elif first == place.after:
                begun[run.key, run.value] = run
        for mark, left in ended.items():
            if place.after is None:
                edits.last[left] = FOREVER
            elif mark in begun:
                right = begun[mark]
                edits.last[left] = right.last
                edits.first.pop(right.id, None)
                edits.gone.append(right.id)
        self._apply(connection, place.branch, edits)

    def _around(self, connection: Connection, place: Place) -> Iterator[_Stored]:
        """The runs that hold in the scan before, in the one after, or between them."""
        columns = self.table.c
        query = select(
            columns.id, columns.first, columns.last, columns[self.key], *(columns[name] for name in self.values)
        ).where(columns.branch_id == place.branch, columns.last >= (place.before or place.at))
        if place.after is not None:
            query = query.where(columns.first <= place.after)
        for id_, first, last, key, *value in connection.execute(query):
            yield _Stored(id_, key, tuple(value), first, last)

    def _apply(self, connection: Connection, branch: int, edits: _Edits) -> None:
        columns = self.table.c
        if edits.gone:
            connection.execute(delete(self.table).where(columns.id == bindparam("run")), _each(edits.gone))
        for name, moments in (("first", edits.first), ("last", edits.last)):
            if moments:
                change = update(self.table).where(columns.id == bindparam("run")).values({name: bindparam("moment")})
                connection.execute(change, [{"run": id_, "moment": moment} for id_, moment in moments.items()])
        if edits.added:
            connection.execute(
                insert(self.table),
                [
                    {"branch_id": branch, "first": first, "last": last, self.key: key}
                    | dict(zip(self.values, value, strict=True))
                    for key, value, first, last in edits.added
                ],
            )


def _each(ids: Iterable[int]) -> list[dict[str, int]]:
    return [{"run": id_} for id_ in ids]


def _of(rows: type[Run], key: str, *values: str) -> Runs:
    return Runs(cast(Table, rows.__table__), key, values)  # type: ignore[attr-defined]


SECTIONS = _of(SectionRun, "section", "score")
PRINCIPLES = _of(PrincipleRun, "principle", "status", "score", "cap", "passed", "failed", "attested_until")
RULES = _of(RuleRun, "rule", "severity", "passed", "failed", "review", "not_applicable", "waived")
FINDINGS = _of(FindingRun, "finding_id", "acceptance_id")
