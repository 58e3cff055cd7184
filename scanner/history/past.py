"""Asking a store for findings: those at a scan, those that are open now, and what each scan brought."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise

from sqlalchemy import ColumnElement, Connection, Select, func, select

from assay.scanner.history.acceptances import read_acceptances
from assay.scanner.history.records import Change, FindingRecord, Period, ScanRecord
from assay.scanner.history.tables import FOREVER, Finding, FindingRun, Scan
from assay.scanner.results import SubjectReference
from assay.scanner.verdicts import Kind, Severity

__all__ = ["changes", "findings_at", "findings_over_time", "newest_findings"]


def findings_at(connection: Connection, branch: int, moment: datetime) -> tuple[FindingRecord, ...]:
    """The findings at a scan of a branch, worst first."""
    runs = _runs(connection, [branch], FindingRun.first <= moment, FindingRun.last >= moment)
    return tuple(sorted((run.finding for run in runs), key=_worst_first))


def newest_findings(connection: Connection, branches: Iterable[int]) -> dict[int, tuple[FindingRecord, ...]]:
    """Those at the newest scan of each branch, by service, worst first."""
    found: defaultdict[int, list[FindingRecord]] = defaultdict(list)
    for run in _runs(connection, branches, FindingRun.last == FOREVER):
        found[run.finding.service].append(run.finding)
    return {service: tuple(sorted(findings, key=_worst_first)) for service, findings in found.items()}


def findings_over_time(
    connection: Connection, branch: int, scans: Iterable[ScanRecord]
) -> tuple[tuple[Period[FindingRecord], ...], ...]:
    """All findings that a branch ever had, each with its periods in order; `scans` are all that the branch has."""
    places = {scan.at: place for place, scan in enumerate(scans)}
    by_origin: defaultdict[int, list[_Run]] = defaultdict(list)
    for run in _runs(connection, [branch]):
        by_origin[run.origin].append(run)
    return tuple(
        tuple(Period(run.first, None if run.last == FOREVER else run.last, run.finding) for run in line)
        for of_one in by_origin.values()
        for line in _lines(of_one, places)
    )


def changes(
    connection: Connection, scans: Mapping[int, Sequence[ScanRecord]], since: datetime | None = None
) -> dict[int, tuple[Change, ...]]:
    """What each scan of some branches brought since a moment, oldest first, by branch; `scans` are all they have."""
    runs: defaultdict[int, list[_Run]] = defaultdict(list)
    for run in _runs(connection, scans, origins=None if since is None else _touched(scans, since)):
        runs[run.branch].append(run)
    return {branch: tuple(_changes(runs[branch], own, since)) for branch, own in scans.items()}


def _changes(runs: Iterable[_Run], scans: Sequence[ScanRecord], since: datetime | None) -> Iterator[Change]:
    """Of one branch."""
    places = {scan.at: place for place, scan in enumerate(scans)}
    # What holds in the newest scan is fixed in none: its turn comes after the last one.
    turns = [_Turns() for _ in range(len(scans) + 1)]
    by_origin: defaultdict[int, list[_Run]] = defaultdict(list)
    for run in runs:
        by_origin[run.origin].append(run)
    for of_one in by_origin.values():
        for line in _lines(of_one, places):
            turns[places[line[0].first]].new.append(line[0].finding)
            for before, run in pairwise(line):
                _tell(before, run, places, turns)
            turns[line[-1].next_place(places)].fixed.append(line[-1].finding)
    for place, scan in enumerate(scans):
        if since is None or scan.at >= since:
            yield turns[place].change(scan, scans[place - 1] if place else None)


def _touched(branches: Iterable[int], since: datetime) -> Select[int]:
    """The findings of which something changed since a moment, by what they were at first."""
    numbers = list(branches)
    last = (
        select(Scan.branch_id, func.max(Scan.at).label("at"))
        .where(Scan.branch_id.in_(numbers), Scan.at < since)
        .group_by(Scan.branch_id)
        .subquery()
    )
    begun, ended = FindingRun.first >= since, (FindingRun.last >= last.c.at) & (FindingRun.last < FOREVER)
    return (
        select(Finding.origin_id)
        .join(FindingRun, FindingRun.finding_id == Finding.id)
        .outerjoin(last, last.c.branch_id == FindingRun.branch_id)
        .where(FindingRun.branch_id.in_(numbers), begun | ended | last.c.at.is_(None))
    )


def _lines(runs: Iterable[_Run], places: Mapping[datetime, int]) -> list[list[_Run]]:
    """Runs that go on one in another, under one fingerprint or the next. Where two of one origin are there at once,
    because the old code was pasted beside the new one, each has a line.
    """
    lines: list[list[_Run]] = []
    for run in sorted(runs, key=lambda r: (r.first, r.id)):
        start = places[run.first]
        free = [line for line in lines if line[-1].next_place(places) <= start]
        if free:
            max(free, key=lambda line: line[-1].next_place(places)).append(run)
        else:
            lines.append([run])
    return lines


def _tell(before: _Run, run: _Run, places: Mapping[datetime, int], turns: Sequence[_Turns]) -> None:
    """What became of a finding from one run of it to the next."""
    end, start = before.next_place(places), places[run.first]
    if start != end:
        turns[end].fixed.append(before.finding)
        turns[start].new.append(run.finding)
    elif before.finding.acceptance is None and run.finding.acceptance is not None:
        turns[start].accepted.append(run.finding)
    elif before.finding.acceptance is not None and run.finding.acceptance is None:
        turns[start].reopened.append(run.finding)


@dataclass(frozen=True, slots=True)
class _Run:
    """A finding as it was in a run of scans. `id` is its number in the store, `origin` that of what it was at first."""

    branch: int
    id: int
    origin: int
    first: datetime
    last: datetime
    finding: FindingRecord

    def next_place(self, places: Mapping[datetime, int]) -> int:
        """The place of the first scan after it."""
        return len(places) if self.last == FOREVER else places[self.last] + 1


class _Turns:
    """What a scan brings, as it is being gathered."""

    def __init__(self) -> None:
        self.new: list[FindingRecord] = []
        self.fixed: list[FindingRecord] = []
        self.accepted: list[FindingRecord] = []
        self.reopened: list[FindingRecord] = []

    def change(self, scan: ScanRecord, before: ScanRecord | None) -> Change:
        sides = (self.new, self.fixed, self.accepted, self.reopened)
        new, fixed, accepted, reopened = (tuple(sorted(side, key=_worst_first)) for side in sides)
        return Change(scan, before, new, fixed, accepted, reopened)


def _runs(
    connection: Connection,
    branches: Iterable[int],
    *which: ColumnElement[bool],
    origins: Select[int] | None = None,
) -> list[_Run]:
    """Each finding's in the order of time; of all origins, or of some."""
    numbers = list(branches)
    if origins is not None:
        which = (*which, Finding.origin_id.in_(origins))
    query = (
        select(*_COLUMNS)
        .join(Finding, Finding.id == FindingRun.finding_id)
        .where(FindingRun.branch_id.in_(numbers), *which)
        .order_by(FindingRun.finding_id, FindingRun.first)
    )
    acceptances, seen = read_acceptances(connection), _first_seen(connection, numbers, origins)
    found = []
    # Rows are taken apart by place: there are tens of thousands, and names take three times as long.
    for branch, id_, first, last, acceptance, origin, kind, severity, *told in connection.execute(query).all():
        service, fingerprint, rule, subject_kind, subject_id, subject_label, path, line, message, owners = told
        first_seen, first_commit = seen[branch, origin]
        finding = FindingRecord(
            service,
            fingerprint,
            rule,
            _KINDS[kind],
            _SEVERITIES[severity],
            SubjectReference(subject_kind, subject_id, subject_label),
            path,
            line,
            message,
            None if acceptance is None else acceptances[acceptance],
            first_seen,
            first_commit,
            tuple(owners.split("\n")) if owners else (),
        )
        found.append(_Run(branch, id_, origin, first, last, finding))
    return found


_KINDS, _SEVERITIES = {kind.value: kind for kind in Kind}, {severity.value: severity for severity in Severity}
_RANKS = {severity: severity.rank for severity in Severity}
_COLUMNS = (
    FindingRun.branch_id,
    FindingRun.finding_id,
    FindingRun.first,
    FindingRun.last,
    FindingRun.acceptance_id,
    Finding.origin_id,
    Finding.kind,
    Finding.severity,
    Finding.service_id,
    Finding.fingerprint,
    Finding.rule,
    Finding.subject_kind,
    Finding.subject_id,
    Finding.subject_label,
    Finding.path,
    Finding.line,
    Finding.message,
    Finding.owners,
)


def _first_seen(
    connection: Connection, branches: Sequence[int], origins: Select[int] | None
) -> dict[tuple[int, int], tuple[datetime, str | None]]:
    """Moment and commit of the first scan that had a finding, by branch and origin. SQLite takes ten times as long
    where it has to join this itself.
    """
    scans = select(Scan.branch_id, Scan.at, Scan.commit).where(Scan.branch_id.in_(branches))
    commits = {(branch, at): commit for branch, at, commit in connection.execute(scans)}
    first = (
        select(FindingRun.branch_id, Finding.origin_id, func.min(FindingRun.first))
        .join(Finding, Finding.id == FindingRun.finding_id)
        .where(FindingRun.branch_id.in_(branches))
        .group_by(FindingRun.branch_id, Finding.origin_id)
    )
    if origins is not None:
        first = first.where(Finding.origin_id.in_(origins))
    return {(branch, origin): (at, commits[branch, at]) for branch, origin, at in connection.execute(first)}


def _worst_first(finding: FindingRecord) -> tuple[bool, int, str, int, str, str]:
    return (
        finding.kind is Kind.REVIEW,
        _RANKS[finding.severity],
        finding.path,
        finding.line,
        finding.rule,
        finding.subject.id,
    )
