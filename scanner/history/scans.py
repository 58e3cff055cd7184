"""Asking a store for its services and their scans."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, Row, Select, func, select

from assay.scanner.history.records import GateRecord, ScanRecord, ServiceRecord, StoreError
from assay.scanner.history.tables import Branch, Scan, Service
from assay.scanner.results import Execution, GateStatus
from assay.scanner.verdicts import Severity

__all__ = ["Owned", "branch_of", "own_branches", "read_scan", "read_scans", "read_service", "read_services"]

_USUAL = ("main", "master", "trunk", "develop", "")
"""The branches that a history is likely told by, where nobody said which one it is."""
_COLUMNS = tuple(column for column in Scan.__table__.columns if column.name not in ("branch_id", "report_id"))


@dataclass(frozen=True, slots=True)
class Owned:
    """A branch and whose it is; `scans` is how many it has."""

    id: int
    name: str
    service: int
    scans: int


def read_services(connection: Connection) -> tuple[ServiceRecord, ...]:
    """All that have a scan, by repository and name."""
    own = own_branches(connection)
    branches = _branches(connection)
    newest = _newest(connection, [branch.id for branch in own.values()])
    services = connection.execute(
        select(Service.id, Service.repository, Service.name).order_by(Service.repository, Service.name)
    )
    return tuple(
        ServiceRecord(
            id_,
            repository,
            name,
            own[id_].name,
            tuple(sorted(branch.name for branch in branches[id_])),
            own[id_].scans,
            newest[own[id_].id],
        )
        for id_, repository, name in services
        if id_ in own
    )


def read_service(connection: Connection, service: int) -> ServiceRecord:
    """Raises StoreError where there is no such service."""
    found = next((s for s in read_services(connection) if s.id == service), None)
    if found is None:
        raise StoreError(f"there is no service {service} in the store")
    return found


def own_branches(connection: Connection, service: int | None = None) -> dict[int, Owned]:
    """By service, the branch that its history is told by; of one service alone where it is given."""
    defaults = {row.id: row.default_branch for row in connection.execute(select(Service.id, Service.default_branch))}
    return {owner: _own(defaults[owner], found) for owner, found in _branches(connection, service).items()}


def branch_of(connection: Connection, service: int, name: str | None) -> int:
    """The number of a service's branch, of its own one where none is named. Raises StoreError."""
    known = _branches(connection, service).get(service)
    if known is None:
        raise StoreError(f"there is no service {service} in the store")
    if name is None:
        default = connection.scalar(select(Service.default_branch).where(Service.id == service))
        return _own(default or "", known).id
    found = next((branch for branch in known if branch.name == name), None)
    if found is None:
        names = ", ".join(sorted(branch.name or "none" for branch in known))
        raise StoreError(f"there are no scans of a branch {name!r} of this service; it has: {names}")
    return found.id


def read_scans(
    connection: Connection, branches: Iterable[int], since: datetime | None = None, until: datetime | None = None
) -> dict[int, list[ScanRecord]]:
    """By service, oldest first."""
    query = _scans().where(Scan.branch_id.in_(list(branches))).order_by(Scan.branch_id, Scan.at)
    if since is not None:
        query = query.where(Scan.at >= since)
    if until is not None:
        query = query.where(Scan.at <= until)
    found: defaultdict[int, list[ScanRecord]] = defaultdict(list)
    for row in connection.execute(query):
        record = _record(row)
        found[record.service].append(record)
    return dict(found)


def read_scan(connection: Connection, scan: int) -> tuple[ScanRecord, int]:
    """The scan and the number of its branch. Raises StoreError where there is no such scan."""
    row = connection.execute(_scans(Scan.branch_id).where(Scan.id == scan)).one_or_none()
    if row is None:
        raise StoreError(f"there is no scan {scan} in the store; `assay history list` shows them")
    return _record(row), row.branch_id


def _own(default: str, branches: Sequence[Owned]) -> Owned:
    by_name = {branch.name: branch for branch in branches}
    likely = next((by_name[name] for name in (default, *_USUAL) if name in by_name and name), None)
    return likely or min(branches, key=lambda branch: (-branch.scans, branch.name))


def _branches(connection: Connection, service: int | None = None) -> dict[int, list[Owned]]:
    """Those that have a scan, by service."""
    query = (
        select(Branch.id, Branch.name, Branch.service_id, func.count(Scan.id))
        .join(Scan, Scan.branch_id == Branch.id)
        .group_by(Branch.id, Branch.name, Branch.service_id)
    )
    if service is not None:
        query = query.where(Branch.service_id == service)
    found: defaultdict[int, list[Owned]] = defaultdict(list)
    for id_, name, owner, scans in connection.execute(query):
        found[owner].append(Owned(id_, name, owner, scans))
    return dict(found)


def _newest(connection: Connection, branches: Sequence[int]) -> dict[int, ScanRecord]:
    newest = select(Scan.branch_id, func.max(Scan.at).label("at")).group_by(Scan.branch_id).subquery()
    query = _scans(Scan.branch_id).join(newest, (Scan.branch_id == newest.c.branch_id) & (Scan.at == newest.c.at))
    return {row.branch_id: _record(row) for row in connection.execute(query.where(Scan.branch_id.in_(branches)))}


def _scans(*more: object) -> Select[tuple[object, ...]]:
    return select(  # type: ignore[call-overload, no-any-return]
        *_COLUMNS,
        Scan.report_id.is_not(None).label("has_report"),
        Branch.name.label("branch"),
        Branch.service_id.label("service"),
        *more,
    ).join(Branch, Branch.id == Scan.branch_id)


def _record(row: Row[tuple[object, ...]]) -> ScanRecord:
    gate = None
    if row.gate_status is not None:
        gate = GateRecord(GateStatus(row.gate_status), row.gate_reason, row.gate_is_enforced)
    return ScanRecord(
        id=row.id,
        service=row.service,
        branch=row.branch,
        commit=row.commit,
        committed=row.committed,
        stored=row.stored,
        at=row.at,
        tree=row.tree,
        prefix=row.prefix,
        root=row.root,
        frameworks=tuple(row.frameworks.split("\n")) if row.frameworks else (),
        tool_version=row.tool_version,
        edition=row.edition,
        configuration=row.configuration,
        execution=Execution(row.execution),
        score=row.score,
        score_before_waivers=row.score_before_waivers,
        grade=row.grade,
        coverage=row.coverage,
        files_read=row.files_read,
        files_wanted=row.files_wanted,
        fails={severity: getattr(row, severity.value) for severity in Severity},
        review=row.review,
        accepted=row.accepted,
        new=row.new,
        fixed=row.fixed,
        gate=gate,
        has_report=row.has_report,
        team=row.team,
    )
