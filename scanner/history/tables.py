"""The tables of a store.

What changes at every scan is a row of `assay_scans`. What seldom changes from one scan to the next (findings, the
counts of rules, the scores of principles and sections) is a *run*: one row from the first to the last scan of a branch
that told the same. A service of 1,000 findings scanned 100 times makes 100,000 rows if each scan has its own, and some
2,000 runs. A run that holds in the newest scan ends in `FOREVER`, so that the next scan touches only what it changes,
and "what is open now" is one index lookup. Runs are of a branch, because scans of a pull request between two of the
main branch would break every one of them.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from sqlalchemy import BigInteger, Dialect, ForeignKey, Index, LargeBinary, Text, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

__all__ = [
    "FOREVER",
    "AcceptanceRow",
    "Base",
    "Branch",
    "Finding",
    "FindingRun",
    "Principle",
    "PrincipleRun",
    "Report",
    "Rule",
    "RuleRun",
    "Run",
    "Scan",
    "Section",
    "SectionRun",
    "Service",
    "Setting",
    "clean",
]

FOREVER = datetime(9999, 12, 31, tzinfo=UTC)
"""The end of a run that holds in the newest scan."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


class Instant(TypeDecorator[datetime]):
    """A moment in microseconds since 1970: SQLite has no type for it, and drops the time zone of what it is given."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002 - its signature
        return None if value is None else (value - _EPOCH) // _MICROSECOND

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - the same
        return None if value is None else _EPOCH + value * _MICROSECOND


class Words(TypeDecorator[str]):
    """Text of a scanned tree, which may hold what no database takes."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 - its signature
        return None if value is None else clean(value)


def clean(text: str) -> str:
    """With U+FFFD for unpaired surrogates (undecodable names of files), and for NUL, which PostgreSQL refuses."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


class Base(DeclarativeBase):
    """The tables' metadata; every name begins with `assay_`, as a team's database holds other things too."""

    type_annotation_map = {datetime: Instant, str: Words, bytes: LargeBinary}  # noqa: RUF012 - SQLAlchemy reads it


class Service(Base):
    """A service of a repository. `default_branch` is empty as long as nobody told."""

    __tablename__ = "assay_services"
    __table_args__ = (UniqueConstraint("repository", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    repository: Mapped[str]
    name: Mapped[str]
    default_branch: Mapped[str]


class Branch(Base):
    """A service's scans of one branch are a row in time."""

    __tablename__ = "assay_branches"
    __table_args__ = (UniqueConstraint("service_id", "name"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("assay_services.id", ondelete="CASCADE"))
    name: Mapped[str]


class Report(Base):
    """A whole `results.json`, compressed by zlib; the services of one scan share it."""

    __tablename__ = "assay_reports"

    id: Mapped[int] = mapped_column(primary_key=True)
    content: Mapped[bytes]


class Scan(Base):
    """One service in one scan. `at` is its place in the branch: two scans of a branch never have the same.

    A commit is there once in a branch; it may be the newest of two branches, and each has its own scan of it.
    """

    __tablename__ = "assay_scans"
    __table_args__ = (UniqueConstraint("branch_id", "commit"), UniqueConstraint("branch_id", "at"))

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("assay_branches.id", ondelete="CASCADE"))
    report_id: Mapped[int | None] = mapped_column(ForeignKey("assay_reports.id"), index=True)
    commit: Mapped[str | None]
    at: Mapped[datetime]
    committed: Mapped[datetime | None]
    stored: Mapped[datetime]
    tree: Mapped[str]
    prefix: Mapped[str]
    root: Mapped[str]
    frameworks: Mapped[str]
    """Their names, a line each."""
    tool_version: Mapped[str]
    edition: Mapped[str]
    configuration: Mapped[str]
    execution: Mapped[str]
    score: Mapped[float | None]
    score_before_waivers: Mapped[float | None]
    grade: Mapped[str]
    coverage: Mapped[float]
    files_read: Mapped[int]
    files_wanted: Mapped[int]
    critical: Mapped[int]
    high: Mapped[int]
    medium: Mapped[int]
    low: Mapped[int]
    review: Mapped[int]
    accepted: Mapped[int]
    new: Mapped[int | None]
    fixed: Mapped[int | None]
    gate_status: Mapped[str | None]
    gate_reason: Mapped[str]
    gate_is_enforced: Mapped[bool]
    team: Mapped[str] = mapped_column(server_default="")


class Section(Base):
    """What a section is called; `edition` is the newest that was seen, `place` its order in the standard."""

    __tablename__ = "assay_sections"

    id: Mapped[str] = mapped_column(primary_key=True)
    title: Mapped[str]
    weight: Mapped[float]
    place: Mapped[int]
    edition: Mapped[str]


class Principle(Base):
    """The same for a principle."""

    __tablename__ = "assay_principles"

    id: Mapped[str] = mapped_column(primary_key=True)
    section: Mapped[str]
    title: Mapped[str]
    weight: Mapped[float]
    place: Mapped[int]
    edition: Mapped[str]


class Rule(Base):
    """The same for a rule; its order is its code's, and its severity its run's, as configurations change it."""

    __tablename__ = "assay_rules"

    id: Mapped[str] = mapped_column(primary_key=True)
    principle: Mapped[str]
    name: Mapped[str]
    title: Mapped[str]
    edition: Mapped[str]


class AcceptanceRow(Base):
    """Somebody's word that findings of a service may stay."""

    __tablename__ = "assay_acceptances"

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("assay_services.id", ondelete="CASCADE"), index=True)
    by: Mapped[str]
    reason: Mapped[str]
    waiver: Mapped[str]
    owner: Mapped[str]
    approver: Mapped[str]
    ticket: Mapped[str]
    created: Mapped[str]
    expires: Mapped[str]


class Finding(Base):
    """A finding's identity, once a service: its fingerprint and kind, as a review that becomes a fail is new.

    Severity, place, message and owners are those of the newest scan that had it; `code` names the text of its line.
    `origin_id` is the number of the finding that it was at first, before its line was edited or moved to where its
    fingerprint is another one; its own where it always was what it is. That one may be gone, so it is no foreign key.
    """

    __tablename__ = "assay_findings"
    __table_args__ = (UniqueConstraint("service_id", "fingerprint", "kind"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    service_id: Mapped[int] = mapped_column(ForeignKey("assay_services.id", ondelete="CASCADE"))
    fingerprint: Mapped[str]
    kind: Mapped[str]
    rule: Mapped[str]
    subject_kind: Mapped[str]
    subject_id: Mapped[str]
    subject_label: Mapped[str]
    severity: Mapped[str]
    path: Mapped[str]
    line: Mapped[int]
    message: Mapped[str]
    code: Mapped[str] = mapped_column(server_default="")
    owners: Mapped[str] = mapped_column(server_default="")
    """Those of its file, a line each."""
    # Nullable until it is known, which is in the transaction that makes it.
    origin_id: Mapped[int] = mapped_column(nullable=True, index=True)


class Run:
    """What held in all scans of a branch from `first` to `last`, both included."""

    id: Mapped[int] = mapped_column(primary_key=True)
    branch_id: Mapped[int] = mapped_column(ForeignKey("assay_branches.id", ondelete="CASCADE"))
    first: Mapped[datetime]
    last: Mapped[datetime]


class SectionRun(Run, Base):
    """A section had this score."""

    __tablename__ = "assay_section_runs"
    __table_args__ = (Index("assay_section_runs_by_branch", "branch_id", "last"),)

    section: Mapped[str]
    score: Mapped[float | None]


class PrincipleRun(Run, Base):
    """A principle had this score."""

    __tablename__ = "assay_principle_runs"
    __table_args__ = (
        Index("assay_principle_runs_by_branch", "branch_id", "last"),
        Index("assay_principle_runs_by_principle", "principle", "branch_id"),
    )

    principle: Mapped[str]
    status: Mapped[str]
    score: Mapped[float | None]
    cap: Mapped[int | None]
    passed: Mapped[int]
    failed: Mapped[int]
    attested_until: Mapped[str]


class RuleRun(Run, Base):
    """A rule had these counts."""

    __tablename__ = "assay_rule_runs"
    __table_args__ = (
        Index("assay_rule_runs_by_branch", "branch_id", "last"),
        Index("assay_rule_runs_by_rule", "rule", "branch_id"),
    )

    rule: Mapped[str]
    severity: Mapped[str]
    passed: Mapped[int]
    failed: Mapped[int]
    review: Mapped[int]
    not_applicable: Mapped[int]
    waived: Mapped[int]


class FindingRun(Run, Base):
    """A finding was there, and accepted or not."""

    __tablename__ = "assay_finding_runs"
    __table_args__ = (
        Index("assay_finding_runs_by_branch", "branch_id", "last"),
        Index("assay_finding_runs_by_finding", "finding_id"),
    )

    finding_id: Mapped[int] = mapped_column(ForeignKey("assay_findings.id", ondelete="CASCADE"))
    acceptance_id: Mapped[int | None] = mapped_column(ForeignKey("assay_acceptances.id"), index=True)


class Setting(Base):
    """What holds for all who use the store."""

    __tablename__ = "assay_settings"

    id: Mapped[str] = mapped_column(primary_key=True)
    value: Mapped[int]
