"""Asking a store for the scores of sections and principles and the counts of rules, at a scan and over time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, TypeVar

from sqlalchemy import ColumnElement, Connection, select

from assay.scanner.history.records import Period, PrincipleRecord, RuleRecord, SectionRecord, StandardRecord
from assay.scanner.history.runs import PRINCIPLES, RULES, SECTIONS, Runs
from assay.scanner.history.tables import FOREVER, Principle, Rule, Section
from assay.scanner.results import PrincipleStatus, RuleScore
from assay.scanner.verdicts import Severity

__all__ = ["Asked", "Record", "Scores", "read_standard"]

Record = TypeVar("Record", SectionRecord, PrincipleRecord, RuleRecord)


def read_standard(connection: Connection) -> StandardRecord:
    """What sections, principles and rules are called, in the order of the standard."""
    sections = tuple(
        SectionRecord(row.id, row.title, row.weight, None)
        for row in connection.execute(select(*Section.__table__.columns).order_by(Section.place, Section.id))
    )
    principles = tuple(
        PrincipleRecord(row.id, row.section, row.title, row.weight, PrincipleStatus.NO_RULE_YET, None, None, 0, 0)
        for row in connection.execute(select(*Principle.__table__.columns).order_by(Principle.place, Principle.id))
    )
    rules = tuple(
        RuleRecord(row.id, row.name, row.title, row.principle, Severity.LOW, RuleScore(row.id))
        for row in connection.execute(select(*Rule.__table__.columns).order_by(Rule.id))
    )
    editions = connection.scalars(select(Section.edition))
    return StandardRecord(max(editions, default="", key=_numbers), sections, principles, rules)


@dataclass(frozen=True, slots=True)
class Asked(Generic[Record]):
    """One table of runs, and what becomes of a row of it: the key's record with the values of the run."""

    runs: Runs
    record: Callable[[Record, tuple[object, ...]], Record]
    named: Mapping[str, Record]


class Scores:
    """Answers from one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        standard = read_standard(connection)
        self.sections = Asked(SECTIONS, _section, {s.id: s for s in standard.sections})
        self.principles = Asked(PRINCIPLES, _principle, {p.id: p for p in standard.principles})
        self.rules = Asked(RULES, _rule, {r.code: r for r in standard.rules})

    def at(self, asked: Asked[Record], branch: int, moment: datetime) -> tuple[Record, ...]:
        """What held at a scan of a branch, in the order of the standard."""
        columns = asked.runs.table.c
        found = self._rows(asked, columns.branch_id == branch, columns.first <= moment, columns.last >= moment)
        return _in_order(asked, {key: record for _, key, _, record in found})

    def newest(self, asked: Asked[Record], branches: Iterable[int]) -> dict[int, tuple[Record, ...]]:
        """What holds in the newest scans, by branch."""
        columns = asked.runs.table.c
        found: defaultdict[int, dict[str, Record]] = defaultdict(dict)
        for branch, key, _, record in self._rows(asked, columns.last == FOREVER, columns.branch_id.in_(list(branches))):
            found[branch][key] = record
        return {branch: _in_order(asked, records) for branch, records in found.items()}

    def over_time(self, asked: Asked[Record], branch: int) -> dict[str, tuple[Period[Record], ...]]:
        """Everything of a branch, by key."""
        found: defaultdict[str, list[Period[Record]]] = defaultdict(list)
        for _, key, period, record in self._rows(asked, asked.runs.table.c.branch_id == branch):
            found[key].append(Period(period[0], period[1], record))
        return {key: tuple(found[key]) for key in asked.named if key in found}

    def of_one(self, asked: Asked[Record], key: str, branches: Iterable[int]) -> dict[int, tuple[Period[Record], ...]]:
        """One key over time, by branch."""
        columns = asked.runs.table.c
        found: defaultdict[int, list[Period[Record]]] = defaultdict(list)
        for branch, _, period, record in self._rows(
            asked, columns[asked.runs.key] == key, columns.branch_id.in_(list(branches))
        ):
            found[branch].append(Period(period[0], period[1], record))
        return {branch: tuple(periods) for branch, periods in found.items()}

    def _rows(
        self, asked: Asked[Record], *which: ColumnElement[bool]
    ) -> Iterable[tuple[int, str, tuple[datetime, datetime | None], Record]]:
        """Branch, key, period and record, by branch and in the order of time."""
        columns = asked.runs.table.c
        query = select(
            columns.branch_id,
            columns[asked.runs.key],
            columns.first,
            columns.last,
            *(columns[name] for name in asked.runs.values),
        )
        # All at once: a row at a time takes twice as long, and there are hundreds of thousands.
        for branch, key, first, last, *values in self._connection.execute(
            query.where(*which).order_by(columns.branch_id, columns.first)
        ).all():
            record = asked.record(asked.named[key], tuple(values))
            yield branch, key, (first, None if last == FOREVER else last), record


def _in_order(asked: Asked[Record], found: Mapping[str, Record]) -> tuple[Record, ...]:
    return tuple(found[key] for key in asked.named if key in found)


_STATUSES = {status.value: status for status in PrincipleStatus}
_SEVERITIES = {severity.value: severity for severity in Severity}


def _section(named: SectionRecord, values: tuple[object, ...]) -> SectionRecord:
    (score,) = values
    assert score is None or isinstance(score, float)
    return SectionRecord(named.id, named.title, named.weight, score)


def _principle(named: PrincipleRecord, values: tuple[object, ...]) -> PrincipleRecord:
    status, score, cap, passed, failed, attested_until = values
    return PrincipleRecord(
        named.id,
        named.section,
        named.title,
        named.weight,
        _STATUSES[str(status)],
        score,  # type: ignore[arg-type]
        cap,  # type: ignore[arg-type]
        passed,  # type: ignore[arg-type]
        failed,  # type: ignore[arg-type]
        str(attested_until),
    )


def _rule(named: RuleRecord, values: tuple[object, ...]) -> RuleRecord:
    severity, *counts = values
    return RuleRecord(
        named.code,
        named.name,
        named.title,
        named.principle,
        _SEVERITIES[str(severity)],
        RuleScore(named.code, *counts),  # type: ignore[arg-type]
    )


def _numbers(edition: str) -> tuple[int, ...]:
    return tuple(int(part) for part in edition.split(".") if part.isdecimal())
