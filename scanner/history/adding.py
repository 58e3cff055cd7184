"""Adding a scan: each of its services becomes a scan of its branch, in the place of one of an equal commit."""

from __future__ import annotations

import zlib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import Connection, Insert, delete, exists, func, insert, select, update

from assay.scanner.history import facts, runs
from assay.scanner.history.findings import Told, finding_values
from assay.scanner.history.names import tell_standard
from assay.scanner.history.records import Origin, StoreError
from assay.scanner.history.scans import own_branches
from assay.scanner.history.tables import (
    AcceptanceRow,
    Branch,
    Finding,
    FindingRun,
    Report,
    Scan,
    Service,
    Setting,
    clean,
)
from assay.scanner.results import ScanResult, ServiceResult

__all__ = ["KEPT_REPORTS", "add", "forget", "forget_reports", "kept_reports", "tidy"]

KEPT_REPORTS = "reports"
"""The setting that says how many whole reports of a branch of a service are kept."""
_KEPT_AT_FIRST = 10
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class _Target:
    """Where a service's scan goes: into the branch, in the place of an earlier one of the same commit (`scan`)."""

    service: int
    place: runs.Place
    scan: int | None


def add(connection: Connection, result: ScanResult, content: str, origin: Origin, stored: datetime) -> tuple[int, ...]:
    """The scans' numbers, one a service of the result, whose whole report is `content`. Raises StoreError."""
    if result.scanned.since is not None:
        raise StoreError(
            f"it holds only findings in lines changed since {result.scanned.since.revision}; keep whole scans"
        )
    if not result.services:
        raise StoreError("no service was found in it, so there is nothing to keep")
    committed = _committed(result)
    report = _inserted(connection, insert(Report).values(content=zlib.compress(content.encode("utf-8", "replace"), 6)))
    tell_standard(connection, result)
    added = []
    for service in result.services:
        target = _target(connection, service, origin, result.scanned.commit, min(committed or stored, stored))
        values = facts.scan_values(result, service) | {
            "branch_id": target.place.branch,
            "at": target.place.at,
            "committed": committed,
            "stored": stored,
            "report_id": report,
        }
        if target.scan is None:
            added.append(_inserted(connection, insert(Scan).values(values)))
        else:
            connection.execute(update(Scan).where(Scan.id == target.scan).values(values))
            added.append(target.scan)
        runs.SECTIONS.put(connection, target.place, facts.sections(service))
        runs.PRINCIPLES.put(connection, target.place, facts.principles(service))
        runs.RULES.put(connection, target.place, facts.rules(result, service))
        earlier = _earlier(connection, target)
        told = Told.of(target.service, target.place, earlier, result, facts.findings(result, service))
        runs.FINDINGS.put(connection, target.place, finding_values(connection, told))
        forget_reports(connection, target.place.branch, kept_reports(connection))
        if target.scan is not None:
            tidy(connection, target.service)
    _drop_reports(connection)
    return tuple(added)


def forget(connection: Connection, scan: int) -> None:
    """Delete a scan; what it told is gone where no other scan tells the same. The rest is left for `tidy`."""
    branch, at = connection.execute(select(Scan.branch_id, Scan.at).where(Scan.id == scan)).one()
    place = _place(connection, branch, at)
    for table in (runs.SECTIONS, runs.PRINCIPLES, runs.RULES, runs.FINDINGS):
        table.take(connection, place)
    connection.execute(delete(Scan).where(Scan.id == scan))


def forget_reports(connection: Connection, branch: int, kept: int) -> None:
    """Leave the newest whole reports of a branch alone."""
    kept_ones = select(Scan.id).where(Scan.branch_id == branch).order_by(Scan.at.desc()).limit(kept)
    outdated = update(Scan).where(Scan.branch_id == branch, Scan.report_id.is_not(None), Scan.id.not_in(kept_ones))
    connection.execute(outdated.values(report_id=None))


def tidy(connection: Connection, service: int) -> None:
    """Delete what no scan of the service tells any more: branches, findings, acceptances."""
    connection.execute(delete(Branch).where(Branch.service_id == service, ~exists().where(Scan.branch_id == Branch.id)))
    connection.execute(
        delete(Finding).where(Finding.service_id == service, ~exists().where(FindingRun.finding_id == Finding.id))
    )
    connection.execute(
        delete(AcceptanceRow).where(
            AcceptanceRow.service_id == service, ~exists().where(FindingRun.acceptance_id == AcceptanceRow.id)
        )
    )
    _drop_reports(connection)


def kept_reports(connection: Connection) -> int:
    """How many whole reports of each branch of a service are kept."""
    kept = connection.scalar(select(Setting.value).where(Setting.id == KEPT_REPORTS))
    return _KEPT_AT_FIRST if kept is None else kept


def _drop_reports(connection: Connection) -> None:
    connection.execute(delete(Report).where(~exists().where(Scan.report_id == Report.id)))


def _target(
    connection: Connection, service: ServiceResult, origin: Origin, commit: str | None, at: datetime
) -> _Target:
    owner = _service(connection, service, origin)
    branch = _branch(connection, owner, clean(origin.branch))
    earlier = None
    if commit is not None:
        earlier = connection.scalar(select(Scan.id).where(Scan.branch_id == branch, Scan.commit == commit))
    if earlier is not None:
        _take_back(connection, earlier, branch)
    taken = set(
        connection.scalars(select(Scan.at).where(Scan.branch_id == branch, Scan.id != (earlier or 0), Scan.at >= at))
    )
    while at in taken:
        # Commits of one second, as a rebase makes them, keep the order in which they came.
        at += _TICK
    return _Target(owner, _place(connection, branch, at, earlier), earlier)


def _take_back(connection: Connection, scan: int, branch: int) -> None:
    """What an earlier scan of the same commit told; the scan itself keeps its number."""
    at = connection.execute(select(Scan.at).where(Scan.id == scan)).scalar_one()
    place = _place(connection, branch, at, scan)
    for table in (runs.SECTIONS, runs.PRINCIPLES, runs.RULES, runs.FINDINGS):
        table.take(connection, place)


def _place(connection: Connection, branch: int, at: datetime, besides: int | None = None) -> runs.Place:
    others = (Scan.branch_id == branch, Scan.id != (besides or 0))
    before = connection.scalar(select(func.max(Scan.at)).where(*others, Scan.at < at))
    after = connection.scalar(select(func.min(Scan.at)).where(*others, Scan.at > at))
    return runs.Place(branch, at, before, after)


def _earlier(connection: Connection, target: _Target) -> tuple[int, datetime] | None:
    """What a scan follows: the one before it on its branch, else the newest of the service's own branch before it."""
    place = target.place
    if place.before is not None:
        return place.branch, place.before
    own = own_branches(connection, target.service).get(target.service)
    if own is None or own.id == place.branch:
        return None
    before = connection.scalar(select(func.max(Scan.at)).where(Scan.branch_id == own.id, Scan.at <= place.at))
    return None if before is None else (own.id, before)


def _service(connection: Connection, service: ServiceResult, origin: Origin) -> int:
    repository, name, default = clean(origin.repository), clean(service.name), clean(origin.default_branch)
    known = connection.execute(
        select(Service.id, Service.default_branch).where(Service.repository == repository, Service.name == name)
    ).one_or_none()
    if known is None:
        values = {"repository": repository, "name": name, "default_branch": default}
        return _inserted(connection, insert(Service).values(values))
    if default not in ("", known.default_branch):
        connection.execute(update(Service).where(Service.id == known.id).values(default_branch=default))
    return int(known.id)


def _branch(connection: Connection, service: int, name: str) -> int:
    known = connection.scalar(select(Branch.id).where(Branch.service_id == service, Branch.name == name))
    if known is not None:
        return known
    return _inserted(connection, insert(Branch).values(service_id=service, name=name))


def _committed(result: ScanResult) -> datetime | None:
    """Raises StoreError."""
    text = result.scanned.committed
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise StoreError(f"scanned.committed: {text!r} is no moment of ISO 8601") from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _inserted(connection: Connection, row: Insert) -> int:
    key = connection.execute(row).inserted_primary_key
    assert key is not None
    return int(key[0])
