"""A store of scans: opened by its URL, added to, and asked."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from types import TracebackType
from typing import TypeVar

from sqlalchemy import Connection, select

from assay.scanner.history import adding, past, pruning, schema, urls
from assay.scanner.history.database import PATIENCE, Database
from assay.scanner.history.marks import read_marks
from assay.scanner.history.records import (
    Change,
    Course,
    FindingRecord,
    Mark,
    Origin,
    Period,
    PrincipleRecord,
    Pruned,
    ReportFormat,
    RuleRecord,
    ScanDetails,
    ScanRecord,
    SectionRecord,
    ServiceRecord,
    StandardRecord,
    StoreError,
)
from assay.scanner.history.scans import (
    branch_of,
    own_branches,
    read_scan,
    read_scans,
    read_service,
    read_services,
)
from assay.scanner.history.scores import Asked, Record, Scores, read_standard
from assay.scanner.history.tables import Report, Scan
from assay.scanner.results import ScanResult

__all__ = ["Store", "of_service"]

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Store:
    """An open store; it is `records.History`, which says what is answered. Every method raises StoreError."""

    database: Database
    form: ReportFormat

    @classmethod
    def open(cls, url: str, form: ReportFormat, *, create: bool = False, patience: int = PATIENCE) -> Store:
        """`url` names an SQLite file or a PostgreSQL database; with `create` the store is made where there is none.
        `patience` is how many seconds it may take until others let it be read or written.

        Raises StoreError.
        """
        database = Database.at(urls.parsed(url), patience)
        try:
            return cls(schema.opened(database, create=create), form)
        except BaseException:
            database.close()
            raise

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the database."""
        self.database.close()

    @property
    def name(self) -> str:
        """The store as messages call it: its URL without password."""
        return self.database.name

    def identity(self) -> object:
        """Where it is another one than when the store was opened, the store must be opened again."""
        return self.database.identity()

    @contextmanager
    def at_one_moment(self) -> Iterator[Store]:
        with self.database.reading() as connection:
            yield replace(self, database=self.database.within(connection))

    def marks(self) -> Mapping[int, Mark]:
        return self._asked(read_marks)

    # --- keeping ------------------------------------------------------------------------------------------------------

    def add(self, result: ScanResult, origin: Origin, stored: datetime) -> tuple[int, ...]:
        """Keep a scan: one record a service, whose numbers are returned. `stored` is now, with its time zone.

        An earlier scan of the same commit on the same branch is replaced, and keeps its number.
        """
        return self.add_all([(result, origin)], stored)

    def add_all(self, results: Iterable[tuple[ScanResult, Origin]], stored: datetime) -> tuple[int, ...]:
        """The same of several scans: all are kept, or none."""
        given = [(result, self.form.render(result), origin) for result, origin in results]
        with self.database.writing() as connection:
            added = [adding.add(connection, result, content, origin, stored) for result, content, origin in given]
        return tuple(scan for scans in added for scan in scans)

    def remove(self, scans: Iterable[int]) -> None:
        """Forget scans: all of them, or none where one isn't there."""
        with self.database.writing() as connection:
            pruning.remove(connection, scans)

    def prune(self, *, keep: int | None = None, reports: int | None = None, before: datetime | None = None) -> Pruned:
        """Forget all but the newest `keep` scans of each branch of each service, and branches without a scan since
        `before`, but for a service's own; `reports` says how many whole reports of each are kept, from now on too.
        """
        with self.database.writing() as connection:
            pruned = pruning.prune(connection, keep, reports, before)
        self.database.shrink()
        return pruned

    # --- scans --------------------------------------------------------------------------------------------------------

    def services(self) -> tuple[ServiceRecord, ...]:
        return self._asked(read_services)

    def standard(self) -> StandardRecord:
        return self._asked(read_standard)

    def scans(
        self, service: int, *, since: datetime | None = None, until: datetime | None = None, branch: str | None = None
    ) -> tuple[ScanRecord, ...]:
        with self.database.reading() as connection:
            found = read_scans(connection, [branch_of(connection, service, branch)], since, until)
        return tuple(found.get(service, ()))

    def all_scans(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Mapping[int, Sequence[ScanRecord]]:
        with self.database.reading() as connection:
            own = own_branches(connection)
            return read_scans(connection, [branch.id for branch in own.values()], since, until)

    def scan(self, scan: int) -> ScanDetails:
        with self.database.reading() as connection:
            record, branch = read_scan(connection, scan)
            scores = Scores(connection)
            return ScanDetails(
                read_service(connection, record.service),
                record,
                scores.at(scores.sections, branch, record.at),
                scores.at(scores.principles, branch, record.at),
                scores.at(scores.rules, branch, record.at),
            )

    # --- findings -----------------------------------------------------------------------------------------------------

    def findings(self, scan: int) -> tuple[FindingRecord, ...]:
        with self.database.reading() as connection:
            record, branch = read_scan(connection, scan)
            return past.findings_at(connection, branch, record.at)

    def open_findings(self) -> Mapping[int, Sequence[FindingRecord]]:
        with self.database.reading() as connection:
            return past.newest_findings(connection, [branch.id for branch in own_branches(connection).values()])

    def changes(
        self, service: int, *, since: datetime | None = None, until: datetime | None = None, branch: str | None = None
    ) -> tuple[Change, ...]:
        with self.database.reading() as connection:
            number = branch_of(connection, service, branch)
            found = past.changes(connection, {number: read_scans(connection, [number])[service]}, since)
        return _up_to(until, found[number])

    def all_changes(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Mapping[int, Sequence[Change]]:
        with self.database.reading() as connection:
            owners = {branch.id: service for service, branch in own_branches(connection).items()}
            scans = read_scans(connection, owners)
            found = past.changes(connection, {branch: scans[service] for branch, service in owners.items()}, since)
        return {owners[branch]: _up_to(until, changes) for branch, changes in found.items()}

    # --- scores -------------------------------------------------------------------------------------------------------

    def section_history(
        self, service: int, *, branch: str | None = None
    ) -> Mapping[str, Sequence[Period[SectionRecord]]]:
        return self._over_time(lambda scores: scores.sections, service, branch)

    def principle_history(
        self, service: int, *, branch: str | None = None
    ) -> Mapping[str, Sequence[Period[PrincipleRecord]]]:
        return self._over_time(lambda scores: scores.principles, service, branch)

    def rule_history(self, service: int, *, branch: str | None = None) -> Mapping[str, Sequence[Period[RuleRecord]]]:
        return self._over_time(lambda scores: scores.rules, service, branch)

    def principle(self, id_: str) -> Mapping[int, Sequence[Period[PrincipleRecord]]]:
        return self._of_one(lambda scores: scores.principles, id_)

    def rule(self, code: str) -> Mapping[int, Sequence[Period[RuleRecord]]]:
        return self._of_one(lambda scores: scores.rules, code)

    def latest_principles(self) -> Mapping[int, Sequence[PrincipleRecord]]:
        return self._newest(lambda scores: scores.principles)

    def latest_sections(self) -> Mapping[int, Sequence[SectionRecord]]:
        return self._newest(lambda scores: scores.sections)

    def latest_rules(self) -> Mapping[int, Sequence[RuleRecord]]:
        return self._newest(lambda scores: scores.rules)

    def course(self, service: int, *, branch: str | None = None) -> Course:
        with self.database.reading() as connection:
            number = branch_of(connection, service, branch)
            scans, scores = read_scans(connection, [number])[service], Scores(connection)
            return Course(
                tuple(scans),
                scores.over_time(scores.sections, number),
                scores.over_time(scores.principles, number),
                scores.over_time(scores.rules, number),
                past.findings_over_time(connection, number, scans),
            )

    # --- whole reports ------------------------------------------------------------------------------------------------

    def report(self, scan: int) -> ScanResult | None:
        with self.database.reading() as connection:
            record, _ = read_scan(connection, scan)
            name = read_service(connection, record.service).name
            content = connection.scalar(
                select(Report.content).join(Scan, Scan.report_id == Report.id).where(Scan.id == scan)
            )
        if content is None:
            return None
        called = f"{self.name}: the report of scan {scan}"
        try:
            data = zlib.decompress(content)
        except zlib.error as error:
            raise StoreError(f"{called} is damaged: {error}") from error
        return of_service(self.form.parsed(data, called), name)

    def latest_report(self, service: int, *, branch: str | None = None) -> ScanResult | None:
        with self.database.reading() as connection:
            number = branch_of(connection, service, branch)
            newest = connection.scalar(
                select(Scan.id)
                .where(Scan.branch_id == number, Scan.report_id.is_not(None))
                .order_by(Scan.at.desc())
                .limit(1)
            )
        return None if newest is None else self.report(newest)

    # --- asking -------------------------------------------------------------------------------------------------------

    def _asked(self, read: Callable[[Connection], _T]) -> _T:
        with self.database.reading() as connection:
            return read(connection)

    def _over_time(
        self, which: Callable[[Scores], Asked[Record]], service: int, branch: str | None
    ) -> Mapping[str, Sequence[Period[Record]]]:
        with self.database.reading() as connection:
            scores = Scores(connection)
            return scores.over_time(which(scores), branch_of(connection, service, branch))

    def _of_one(self, which: Callable[[Scores], Asked[Record]], key: str) -> Mapping[int, Sequence[Period[Record]]]:
        with self.database.reading() as connection:
            scores = Scores(connection)
            owners = {branch.id: service for service, branch in own_branches(connection).items()}
            found = scores.of_one(which(scores), key, owners)
        return {owners[branch]: periods for branch, periods in found.items()}

    def _newest(self, which: Callable[[Scores], Asked[Record]]) -> Mapping[int, Sequence[Record]]:
        with self.database.reading() as connection:
            scores = Scores(connection)
            owners = {branch.id: service for service, branch in own_branches(connection).items()}
            found = scores.newest(which(scores), owners)
        return {owners[branch]: records for branch, records in found.items()}


def _up_to(until: datetime | None, changes: Sequence[Change]) -> tuple[Change, ...]:
    return tuple(change for change in changes if until is None or change.scan.at <= until)


def of_service(result: ScanResult, name: str) -> ScanResult:
    """A result's part that is about one of its services; what is about the tree as a whole stays."""
    base = result.base
    if base is not None:
        fixed = tuple(f for f in base.fixed if f.service in (name, ""))
        base = replace(base, fixed=fixed, services=tuple(s for s in base.services if s.name == name))
    return replace(
        result,
        services=tuple(s for s in result.services if s.name == name),
        verdicts=tuple(v for v in result.verdicts if v.service == name),
        base=base,
    )
