"""Findings that go on under another fingerprint, since their line was edited."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Findings that were there before keep to themselves: what their code was isn't known."""
    with op.batch_alter_table("assay_findings") as findings:
        findings.add_column(sa.Column("code", sa.Text, nullable=False, server_default=""))
        findings.add_column(sa.Column("origin_id", sa.Integer, nullable=True))
    op.execute("UPDATE assay_findings SET origin_id = id")
    op.create_index("ix_assay_findings_origin_id", "assay_findings", ["origin_id"])
