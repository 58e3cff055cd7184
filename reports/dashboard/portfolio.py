"""What a dashboard is made from: all that a store tells of its services, asked for once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

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
"""How far the log of changes goes back."""
_LETTERS = frozenset(letter for _, letter in GRADES)


def is_rated(scan: ScanRecord) -> bool:
    """Whether enough could be judged for a grade."""
    return scan.grade in _LETTERS and scan.score is not None


@dataclass(frozen=True, slots=True)
class Portfolio:
    """Everything by number of service, of each service's own branch; `now` has a time zone.

    `stale_days` is how old a scan may be before it says nothing about today.
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

    @classmethod
    def read(cls, history: History, now: datetime, stale_days: int) -> Portfolio:
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
            history.all_changes(since=now - timedelta(days=LOG_DAYS)),
            {principle.id: history.principle(principle.id) for principle in standard.principles},
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

    def open_fails(self, service: ServiceRecord) -> Iterable[FindingRecord]:
        """Fails that nobody accepted, worst first."""
        return (f for f in self.findings.get(service.id, ()) if f.kind is Kind.FAIL and f.acceptance is None)

    def fails(self, service: ServiceRecord, severity: Severity) -> int:
        return service.latest.fails.get(severity, 0)
