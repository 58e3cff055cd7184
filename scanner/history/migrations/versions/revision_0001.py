"""The first schema: scans, and runs of what seldom changes between them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make all tables."""
    op.create_table(
        "assay_services",
        _id(),
        _text("repository"),
        _text("name"),
        _text("default_branch"),
        sa.UniqueConstraint("repository", "name"),
    )
    op.create_table(
        "assay_branches",
        _id(),
        _owned_by("service_id", "assay_services"),
        _text("name"),
        sa.UniqueConstraint("service_id", "name"),
    )
    op.create_table("assay_reports", _id(), sa.Column("content", sa.LargeBinary, nullable=False))
    op.create_table(
        "assay_scans",
        _id(),
        _owned_by("branch_id", "assay_branches"),
        sa.Column("report_id", sa.Integer, sa.ForeignKey("assay_reports.id"), index=True),
        _text("commit", nullable=True),
        _moment("at"),
        _moment("committed", nullable=True),
        _moment("stored"),
        *map(_text, ("tree", "prefix", "root", "frameworks", "tool_version", "edition", "configuration", "execution")),
        _figure("score", nullable=True),
        _figure("score_before_waivers", nullable=True),
        _text("grade"),
        _figure("coverage"),
        *map(_count, ("files_read", "files_wanted", "critical", "high", "medium", "low", "review", "accepted")),
        _count("new", nullable=True),
        _count("fixed", nullable=True),
        _text("gate_status", nullable=True),
        _text("gate_reason"),
        sa.Column("gate_is_enforced", sa.Boolean, nullable=False),
        sa.UniqueConstraint("branch_id", "commit"),
        sa.UniqueConstraint("branch_id", "at"),
    )
    _make_standard()
    _make_findings()
    _make_runs()
    op.create_table("assay_settings", _name(), _count("value"))


def _make_standard() -> None:
    op.create_table("assay_sections", _name(), _text("title"), _figure("weight"), _count("place"), _text("edition"))
    op.create_table(
        "assay_principles",
        _name(),
        _text("section"),
        _text("title"),
        _figure("weight"),
        _count("place"),
        _text("edition"),
    )
    op.create_table("assay_rules", _name(), _text("principle"), _text("name"), _text("title"), _text("edition"))


def _make_findings() -> None:
    op.create_table(
        "assay_acceptances",
        _id(),
        _owned_by("service_id", "assay_services", index=True),
        *map(_text, ("by", "reason", "waiver", "owner", "approver", "ticket", "created", "expires")),
    )
    op.create_table(
        "assay_findings",
        _id(),
        _owned_by("service_id", "assay_services"),
        *map(_text, ("fingerprint", "kind", "rule", "subject_kind", "subject_id", "subject_label", "severity", "path")),
        _count("line"),
        _text("message"),
        sa.UniqueConstraint("service_id", "fingerprint", "kind"),
    )


def _make_runs() -> None:
    _make_run("section", _text("section"), _figure("score", nullable=True))
    _make_run(
        "principle",
        _text("principle"),
        _text("status"),
        _figure("score", nullable=True),
        _count("cap", nullable=True),
        _count("passed"),
        _count("failed"),
        _text("attested_until"),
    )
    op.create_index("assay_principle_runs_by_principle", "assay_principle_runs", ["principle", "branch_id"])
    _make_run(
        "rule",
        _text("rule"),
        _text("severity"),
        *map(_count, ("passed", "failed", "review", "not_applicable", "waived")),
    )
    op.create_index("assay_rule_runs_by_rule", "assay_rule_runs", ["rule", "branch_id"])
    _make_run(
        "finding",
        _owned_by("finding_id", "assay_findings"),
        sa.Column("acceptance_id", sa.Integer, sa.ForeignKey("assay_acceptances.id"), index=True),
    )
    op.create_index("assay_finding_runs_by_finding", "assay_finding_runs", ["finding_id"])


def _make_run(of: str, *columns: sa.Column[object]) -> None:
    name = f"assay_{of}_runs"
    op.create_table(name, _id(), _owned_by("branch_id", "assay_branches"), _moment("first"), _moment("last"), *columns)
    op.create_index(f"{name}_by_branch", name, ["branch_id", "last"])


def _id() -> sa.Column[object]:
    return sa.Column("id", sa.Integer, primary_key=True)


def _name() -> sa.Column[object]:
    return sa.Column("id", sa.Text, primary_key=True)


def _text(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Text, nullable=nullable)


def _figure(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Float, nullable=nullable)


def _count(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Integer, nullable=nullable)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _owned_by(name: str, owner: str, *, index: bool = False) -> sa.Column[object]:
    return sa.Column(name, sa.Integer, sa.ForeignKey(f"{owner}.id", ondelete="CASCADE"), nullable=False, index=index)
