"""Asking a store whether it still tells what it told, and of which services: far cheaper than asking for all of it."""

from __future__ import annotations

from collections import defaultdict

from sqlalchemy import Connection, func, select

from assay.scanner.history.records import BranchMark, Mark, label
from assay.scanner.history.scans import own_branches
from assay.scanner.history.tables import Branch, Scan, Service

__all__ = ["read_marks"]


def read_marks(connection: Connection) -> dict[int, Mark]:
    """By service."""
    branches: defaultdict[int, list[BranchMark]] = defaultdict(list)
    totals = (func.count(Scan.id), func.max(Scan.id), func.max(Scan.stored), func.count(Scan.report_id))
    for service, name, scans, last, stored, reports in connection.execute(
        select(Branch.service_id, Branch.name, *totals)
        .join(Scan, Scan.branch_id == Branch.id)
        .group_by(Branch.service_id, Branch.id, Branch.name)
        .order_by(Branch.id)
    ):
        branches[service].append(BranchMark(name, scans, last, stored, reports))
    own = own_branches(connection)
    services = connection.execute(select(Service.id, Service.repository, Service.name).order_by(Service.id))
    return {
        id_: Mark(label(repository, name), own[id_].name, tuple(branches[id_]))
        for id_, repository, name in services
        if id_ in own
    }
