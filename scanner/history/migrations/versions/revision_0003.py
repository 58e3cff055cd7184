"""Whose services and findings are."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """What was there before is nobody's, until it is scanned again."""
    for table, column in (("assay_scans", "team"), ("assay_findings", "owners")):
        with op.batch_alter_table(table) as changed:
            changed.add_column(sa.Column(column, sa.Text, nullable=False, server_default=""))
