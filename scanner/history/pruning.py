"""Making a store smaller: old scans, old branches and old reports are forgotten."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, delete, exists, func, insert, select, update

from assay.scanner.history.adding import KEPT_REPORTS, forget, forget_reports, tidy
from assay.scanner.history.records import Pruned
from assay.scanner.history.scans import own_branches, read_scan
from assay.scanner.history.tables import Branch, Report, Scan, Service, Setting

__all__ = ["prune", "remove"]


def prune(connection: Connection, keep: int | None, reports: int | None, before: datetime | None) -> Pruned:
    """As `Store.prune` says."""
    scans, kept = _count(connection, Scan), _count(connection, Report)
    branches = list(connection.scalars(select(Branch.id)))
    if before is not None:
        own = {branch.id for branch in own_branches(connection).values()}
        newest = select(func.max(Scan.at)).where(Scan.branch_id == Branch.id).scalar_subquery()
        quiet = set(connection.scalars(select(Branch.id).where(newest < before))) - own
        if quiet:
            connection.execute(delete(Branch).where(Branch.id.in_(quiet)))
        branches = [branch for branch in branches if branch not in quiet]
    if keep is not None:
        for branch in branches:
            outdated = select(Scan.id).where(Scan.branch_id == branch).order_by(Scan.at.desc()).offset(keep)
            for scan in connection.scalars(outdated).all():
                forget(connection, scan)
    if reports is not None:
        _keep_reports(connection, reports)
        for branch in branches:
            forget_reports(connection, branch, reports)
    _tidy(connection)
    return Pruned(scans - _count(connection, Scan), kept - _count(connection, Report), _count(connection, Scan))


def remove(connection: Connection, scans: Iterable[int]) -> None:
    """Raises StoreError where one of them isn't there."""
    for scan in dict.fromkeys(scans):
        read_scan(connection, scan)
        forget(connection, scan)
    _tidy(connection)


def _tidy(connection: Connection) -> None:
    for service in connection.scalars(select(Service.id)).all():
        tidy(connection, service)
    connection.execute(delete(Service).where(~exists().where(Branch.service_id == Service.id)))


def _keep_reports(connection: Connection, number: int) -> None:
    setting = Setting.id == KEPT_REPORTS
    if connection.scalar(select(Setting.value).where(setting)) is None:
        connection.execute(insert(Setting).values(id=KEPT_REPORTS, value=number))
    else:
        connection.execute(update(Setting).where(setting).values(value=number))


def _count(connection: Connection, table: type[Scan | Report]) -> int:
    return connection.scalar(select(func.count()).select_from(table)) or 0
