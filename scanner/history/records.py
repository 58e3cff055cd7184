"""What a store of scans tells, as plain data: nothing of its database leaves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Protocol, TypeVar

from assay.scanner.results import (
    Acceptance,
    Execution,
    GateStatus,
    PrincipleStatus,
    RuleScore,
    ScanResult,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

__all__ = [
    "BranchMark",
    "Change",
    "Course",
    "FindingRecord",
    "GateRecord",
    "History",
    "Mark",
    "Origin",
    "Period",
    "PrincipleRecord",
    "Pruned",
    "ReportFormat",
    "RuleRecord",
    "ScanDetails",
    "ScanRecord",
    "SectionRecord",
    "ServiceHistory",
    "ServiceRecord",
    "StandardRecord",
    "StoreError",
    "label",
]

_Value = TypeVar("_Value", covariant=True)


class StoreError(Exception):
    """A store can't be opened, asked or added to; the message is for the user, and holds no password."""


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a scanned tree comes from: its repository, such as `acme/shop`, the branch, and the repository's default
    branch; empty where nobody can tell.
    """

    repository: str
    branch: str = ""
    default_branch: str = ""


@dataclass(frozen=True, slots=True)
class GateRecord:
    """What the gate said of a scan, and why in one sentence; `is_enforced` is off where it only warned."""

    status: GateStatus
    reason: str
    is_enforced: bool


@dataclass(frozen=True, slots=True)
class ScanRecord:
    """One service in one scan. Times are in UTC; scores are 0 to 100, `coverage` is 0 to 1.

    `at` is its place in time: when the commit was made, and when it was stored where there is no commit. `root` is the
    service's folder, relative to the scanned tree, which lies in `prefix` (empty, or with `/` at the end) of its
    repository. `fails` are those that count, by severity, each there; `new` and `fixed` are against the base that the
    scan was compared with, None where there was none. `has_report`: the store still has the whole report. `team` is
    whose the service was; empty where nobody said.
    """

    id: int
    service: int
    branch: str
    commit: str | None
    committed: datetime | None
    stored: datetime
    at: datetime
    tree: str
    prefix: str
    root: str
    frameworks: tuple[str, ...]
    tool_version: str
    edition: str
    configuration: str
    execution: Execution
    score: float | None
    score_before_waivers: float | None
    grade: str
    coverage: float
    files_read: int
    files_wanted: int
    fails: Mapping[Severity, int]
    review: int
    accepted: int
    new: int | None
    fixed: int | None
    gate: GateRecord | None
    has_report: bool
    team: str

    @property
    def failed(self) -> int:
        """All fails that count."""
        return sum(self.fails.values())


@dataclass(frozen=True, slots=True)
class ServiceRecord:
    """A service of a repository, such as `orders` of `acme/shop`.

    `branch` is the one that its history is told by: the repository's default branch where the store knows of it, else
    the likeliest; `branches` are all, by name (empty where nobody could tell a scan's). `latest` is the newest scan of
    `branch`, `scans` how many there are of it.
    """

    id: int
    repository: str
    name: str
    branch: str
    branches: tuple[str, ...]
    scans: int
    latest: ScanRecord

    @property
    def label(self) -> str:
        """`acme/shop: orders`, or only the repository where the service is named as it is."""
        return label(self.repository, self.name)


def label(repository: str, name: str) -> str:
    """What people call a service of a repository."""
    is_alone = name in ("", repository, repository.rpartition("/")[2])
    return repository if is_alone else f"{repository}: {name}"


@dataclass(frozen=True, slots=True)
class BranchMark:
    """What changes with every scan that a branch gets or loses; `last` is the greatest number of one, `reports` is how
    many whole reports are kept.
    """

    name: str
    scans: int
    last: int
    stored: datetime
    reports: int


@dataclass(frozen=True, slots=True)
class Mark:
    """What a service is known by, and what changes with whatever a store tells of it: as long as two are equal, so are
    all answers. `branch` is the name of its own one.
    """

    label: str
    branch: str
    branches: tuple[BranchMark, ...]

    @property
    def own(self) -> BranchMark:
        return next(branch for branch in self.branches if branch.name == self.branch)


@dataclass(frozen=True, slots=True)
class SectionRecord:
    """A section's score at a scan; `weight` is its share in the overall score."""

    id: str
    title: str
    weight: float
    score: float | None


@dataclass(frozen=True, slots=True)
class PrincipleRecord:
    """A principle's score at a scan, as in results; `passed` and `failed` are over its rules' subjects.

    `attested_until` is the day (ISO 8601) until which somebody's word for it holds; empty where nobody gave it.
    """

    id: str
    section: str
    title: str
    weight: float
    status: PrincipleStatus
    score: float | None
    cap: int | None
    passed: int
    failed: int
    attested_until: str = ""

    @property
    def compliance(self) -> float | None:
        """passed / (passed + failed), 0 to 1; None when nothing was judged."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None


@dataclass(frozen=True, slots=True)
class RuleRecord:
    """A rule's counts at a scan. Only rules that count are kept: neither analyzers' checks nor previews.

    `severity` is the one that the scan's configuration gave it.
    """

    code: str
    name: str
    title: str
    principle: str
    severity: Severity
    counts: RuleScore


@dataclass(frozen=True, slots=True)
class StandardRecord:
    """The newest that the store knows of sections, principles and rules, in the order of the standard.

    Scores and counts in it are those of no scan: None and 0.
    """

    edition: str
    sections: tuple[SectionRecord, ...]
    principles: tuple[PrincipleRecord, ...]
    rules: tuple[RuleRecord, ...]


@dataclass(frozen=True, slots=True)
class ScanDetails:
    """A scan with its scores and counts; rules that judged nothing are left out."""

    service: ServiceRecord
    scan: ScanRecord
    sections: tuple[SectionRecord, ...]
    principles: tuple[PrincipleRecord, ...]
    rules: tuple[RuleRecord, ...]


@dataclass(frozen=True, slots=True)
class FindingRecord:
    """A finding of a service. Its place, message and owners (those of its file) are those of the newest scan that has
    it.

    `first_seen` is the `at` of the scan of this branch that had it first, `first_commit` its commit; that its line was
    edited or moved since makes it no younger. `acceptance` is
    the one that held at the scan that was asked about.
    """

    service: int
    fingerprint: str
    rule: str
    kind: Kind
    severity: Severity
    subject: SubjectReference
    path: str
    line: int
    message: str
    acceptance: Acceptance | None
    first_seen: datetime
    first_commit: str | None
    owners: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """What a scan brought against the one before it on its branch; `before` is None for the first one, where all is
    new. `accepted` were open before, `reopened` were accepted. A finding whose line was edited or moved is in none.

    `is_trusted` is off where one of the two could not read everything: what is missing may be unread, not fixed.
    """

    scan: ScanRecord
    before: ScanRecord | None
    new: tuple[FindingRecord, ...]
    fixed: tuple[FindingRecord, ...]
    accepted: tuple[FindingRecord, ...]
    reopened: tuple[FindingRecord, ...]

    @property
    def is_trusted(self) -> bool:
        scans = (self.scan, self.before) if self.before else (self.scan,)
        return all(scan.execution is Execution.COMPLETE for scan in scans)


@dataclass(frozen=True, slots=True)
class Period(Generic[_Value]):
    """What held from one scan of a branch (its `at`) up to another, both included; `last` is None where it holds in
    the newest scan still.
    """

    first: datetime
    last: datetime | None
    value: _Value

    def holds_at(self, moment: datetime) -> bool:
        return self.first <= moment and (self.last is None or moment <= self.last)


@dataclass(frozen=True, slots=True)
class Course:
    """Everything that a branch's scans told, oldest first: scores and counts over time by id or code, and each finding
    with the periods in which it was there, accepted or not. One whose line was edited or moved goes on.
    """

    scans: tuple[ScanRecord, ...]
    sections: Mapping[str, Sequence[Period[SectionRecord]]]
    principles: Mapping[str, Sequence[Period[PrincipleRecord]]]
    rules: Mapping[str, Sequence[Period[RuleRecord]]]
    findings: tuple[tuple[Period[FindingRecord], ...], ...]


@dataclass(frozen=True, slots=True)
class ServiceHistory:
    """What the scans of a branch of a service brought, oldest first."""

    service: ServiceRecord
    changes: tuple[Change, ...]


@dataclass(frozen=True, slots=True)
class Pruned:
    """How many scans and whole reports were forgotten, and how many scans are left."""

    scans: int
    reports: int
    left: int


class ReportFormat(Protocol):
    """How a result is kept whole: `assay.reports.json_report` is one."""

    def render(self, result: ScanResult) -> str: ...

    def parsed(self, data: bytes, name: str) -> ScanResult: ...


class History(Protocol):
    """What can be asked of a store. A branch that isn't named is the service's own (`ServiceRecord.branch`).

    All raise StoreError where the database can't answer, and where there is no such service or scan.
    """

    def at_one_moment(self) -> AbstractContextManager[History]:
        """What it tells now: all answers fit together, whatever is added meanwhile. It is for one thread."""
        ...

    def marks(self) -> Mapping[int, Mark]:
        """By service, what is another one as soon as anything that is told of it is."""
        ...

    def services(self) -> tuple[ServiceRecord, ...]:
        """All, by repository and name."""
        ...

    def standard(self) -> StandardRecord:
        """What sections, principles and rules are called."""
        ...

    def scans(
        self, service: int, *, since: datetime | None = None, until: datetime | None = None, branch: str | None = None
    ) -> tuple[ScanRecord, ...]:
        """The scans of a branch, oldest first; `since` and `until` are about `at`, both included."""
        ...

    def all_scans(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Mapping[int, Sequence[ScanRecord]]:
        """The same of every service's own branch in one go, by service."""
        ...

    def scan(self, scan: int) -> ScanDetails:
        """One scan with its scores and counts."""
        ...

    def findings(self, scan: int) -> tuple[FindingRecord, ...]:
        """The findings at a scan, worst first."""
        ...

    def open_findings(self) -> Mapping[int, Sequence[FindingRecord]]:
        """Findings, accepted ones too, at the newest scan of every service's own branch, worst first, by service."""
        ...

    def changes(
        self, service: int, *, since: datetime | None = None, until: datetime | None = None, branch: str | None = None
    ) -> tuple[Change, ...]:
        """What each scan brought, oldest first."""
        ...

    def all_changes(
        self, *, since: datetime | None = None, until: datetime | None = None
    ) -> Mapping[int, Sequence[Change]]:
        """The same of every service's own branch in one go, by service."""
        ...

    def section_history(
        self, service: int, *, branch: str | None = None
    ) -> Mapping[str, Sequence[Period[SectionRecord]]]:
        """Each section's score over time, by id; periods in order."""
        ...

    def principle_history(
        self, service: int, *, branch: str | None = None
    ) -> Mapping[str, Sequence[Period[PrincipleRecord]]]:
        """Each principle's score over time, by id; periods in order."""
        ...

    def rule_history(self, service: int, *, branch: str | None = None) -> Mapping[str, Sequence[Period[RuleRecord]]]:
        """Each rule's counts over time, by code; periods in order."""
        ...

    def principle(self, id_: str) -> Mapping[int, Sequence[Period[PrincipleRecord]]]:
        """One principle's score over time in every service's own branch, by service."""
        ...

    def rule(self, code: str) -> Mapping[int, Sequence[Period[RuleRecord]]]:
        """One rule's counts over time in every service's own branch, by service."""
        ...

    def latest_principles(self) -> Mapping[int, Sequence[PrincipleRecord]]:
        """The principles at the newest scan of every service's own branch, by service: the heat map."""
        ...

    def latest_sections(self) -> Mapping[int, Sequence[SectionRecord]]:
        """The same for sections."""
        ...

    def latest_rules(self) -> Mapping[int, Sequence[RuleRecord]]:
        """The same for rules."""
        ...

    def course(self, service: int, *, branch: str | None = None) -> Course:
        """All that is known of a branch in one go."""
        ...

    def report(self, scan: int) -> ScanResult | None:
        """The service's part of a scan's whole report; None where it isn't kept any more."""
        ...

    def latest_report(self, service: int, *, branch: str | None = None) -> ScanResult | None:
        """The newest one that is kept of the service."""
        ...
