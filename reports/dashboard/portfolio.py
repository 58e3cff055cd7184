"""What a dashboard is made from: all that a store tells of its services, asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeVar

from assay.scanner.history.records import (
    Change,
    FindingRecord,
    History,
    Period,
    PrincipleRecord,
    RuleRecord,
    ScanRecord,
    SectionRecord,
    ServiceRecord,
    StandardRecord,
)
from assay.scanner.results import Execution
from assay.scanner.scoring import GRADES
from assay.scanner.verdicts import Kind, Severity

__all__ = ["LOG_DAYS", "MONTH", "Portfolio", "is_rated"]

MONTH = timedelta(days=30)
LOG_DAYS = 90
"""How far the log of changes goes back, if nobody says otherwise."""
_Value = TypeVar("_Value")
_LETTERS = frozenset(letter for _, letter in GRADES)


def is_rated(scan: ScanRecord) -> bool:
    """Whether enough could be judged for a grade."""
    return scan.grade in _LETTERS and scan.score is not None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything by number of service, of each service's own branch; `now` has a time zone.

    `stale_days` is how old a scan may be before it says nothing about today. `state` stands for what the store told,
    where pages may ask whether it still does (`news.State`); else it is empty. `log_days` is how far back changes are
    told.
    """

    now: datetime
    stale_days: int
    standard: StandardRecord
    services: tuple[ServiceRecord, ...]
    scans: Mapping[int, Sequence[ScanRecord]]
    sections: Mapping[int, Sequence[SectionRecord]]
    principles: Mapping[int, Sequence[PrincipleRecord]]
    rules: Mapping[int, Sequence[RuleRecord]]
    findings: Mapping[int, Sequence[FindingRecord]]
    changes: Mapping[int, Sequence[Change]]
    principle_periods: Mapping[str, Mapping[int, Sequence[Period[PrincipleRecord]]]]
    state: str = ""
    log_days: int = LOG_DAYS

    @classmethod
    def read(
        cls, history: History, now: datetime, stale_days: int, state: str = "", log_days: int = LOG_DAYS
    ) -> Portfolio:
        """Raises StoreError."""
        standard = history.standard()
        return cls(
            now,
            stale_days,
            standard,
            history.services(),
            history.all_scans(),
            history.latest_sections(),
            history.latest_principles(),
            history.latest_rules(),
            history.open_findings(),
            history.all_changes(since=_log_start(now, log_days)),
            {principle.id: history.principle(principle.id) for principle in standard.principles},
            state,
            log_days,
        )

    def renewed(self, history: History, services: Iterable[int], now: datetime, state: str) -> Portfolio:
        """As if it had been read anew, where the history tells nothing else than before but of these services.

        Raises StoreError.
        """
        standard = history.standard()
        if standard != self.standard:
            return Portfolio.read(history, now, self.stale_days, state, self.log_days)
        there = {service.id: service for service in history.services()}
        gone = self.scans.keys() - there.keys()
        told = {id_: history.scan(there[id_].latest.id) for id_ in services if id_ in there}
        over_time = {id_: history.principle_history(id_) for id_ in told}
        logged = {
            id_: [change for change in changes if change.scan.at >= _log_start(now, self.log_days)]
            for id_, changes in self.changes.items()
        }
        return Portfolio(
            now,
            self.stale_days,
            standard,
            tuple(there.values()),
            _updated(self.scans, gone, {id_: history.scans(id_) for id_ in told}),
            _updated(self.sections, gone, {id_: details.sections for id_, details in told.items()}),
            _updated(self.principles, gone, {id_: details.principles for id_, details in told.items()}),
            _updated(self.rules, gone, {id_: details.rules for id_, details in told.items()}),
            _updated(self.findings, gone, {id_: history.findings(told[id_].scan.id) for id_ in told}),
            _updated(logged, gone, {id_: history.changes(id_, since=_log_start(now, self.log_days)) for id_ in told}),
            {
                principle: _updated(periods, gone, {id_: over_time[id_].get(principle, ()) for id_ in told})
                for principle, periods in self.principle_periods.items()
            },
            state,
            self.log_days,
        )

    def is_stale(self, service: ServiceRecord) -> bool:
        """Whether its newest scan is too old; the commit may be as old as it likes."""
        return service.latest.stored < self.now - timedelta(days=self.stale_days)

    def is_counted(self, service: ServiceRecord) -> bool:
        """Whether its score says anything about today."""
        return is_rated(service.latest) and not self.is_stale(service)

    def is_incomplete(self, service: ServiceRecord) -> bool:
        return service.latest.execution is not Execution.COMPLETE

    def month_ago(self, service: ServiceRecord) -> ScanRecord | None:
        """The scan that held 30 days ago, be it the newest still; of a younger service the first of several."""
        scans = self.scans.get(service.id, ())
        earlier = [scan for scan in scans if scan.at <= self.now - MONTH]
        if earlier:
            return earlier[-1]
        return scans[0] if len(scans) > 1 else None

    def reports(self) -> dict[int, ScanRecord]:
        """The newest scan of each service whose whole report the store still has."""
        newest = {
            service: next((scan for scan in reversed(scans) if scan.has_report), None)
            for service, scans in self.scans.items()
        }
        return {service: scan for service, scan in newest.items() if scan is not None}

    def open_fails(self, service: ServiceRecord) -> Iterable[FindingRecord]:
        """Fails that nobody accepted, worst first."""
        return (f for f in self.findings.get(service.id, ()) if f.kind is Kind.FAIL and f.acceptance is None)

    def fails(self, service: ServiceRecord, severity: Severity) -> int:
        return service.latest.fails.get(severity, 0)


def _log_start(now: datetime, days: int) -> datetime:
    return now - timedelta(days=days)


def _updated(known: Mapping[int, _Value], gone: Set[int], told: Mapping[int, _Value]) -> Mapping[int, _Value]:
    """By service: what was known, without those that are gone, and what was told since."""
    return {**{id_: value for id_, value in known.items() if id_ not in gone}, **told}
