"""The identities of a service's findings, each written down once, and which of them is which since the last scan."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy import BindParameter, Connection, bindparam, insert, select, update

from assay.scanner.history.acceptances import acceptance_values
from assay.scanner.history.runs import Key, Place, Value
from assay.scanner.history.tables import Finding, FindingRun, clean
from assay.scanner.matching import mark_of, marked, match
from assay.scanner.results import JudgedVerdict, ScanResult
from assay.scanner.verdicts import Kind

__all__ = ["Told", "finding_values"]

_PLACE = ("severity", "path", "line", "message", "subject_label", "owners")
"""What may change of a finding that stays the same one."""
_Identity = tuple[str, str]


@dataclass(frozen=True, slots=True)
class _Known:
    """A finding of the service as it is stored; `origin` is the number of what it was before it was edited."""

    id: int
    origin: int
    rule: str
    kind: str
    subject_id: str
    code: str
    place: tuple[object, ...]

    @property
    def path(self) -> str:
        return str(self.place[1])

    @property
    def line(self) -> int:
        return int(str(self.place[2]))


@dataclass(frozen=True, slots=True)
class Told:
    """What a scan tells of a service's findings, and where the scan is: `at` in its branch. `earlier` is the branch and
    the moment of the scan that it follows, where there is one.
    """

    service: int
    at: Place
    earlier: tuple[int, datetime] | None
    result: ScanResult
    findings: Mapping[_Identity, JudgedVerdict] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        service: int,
        at: Place,
        earlier: tuple[int, datetime] | None,
        result: ScanResult,
        findings: Iterable[JudgedVerdict],
    ) -> Told:
        """A review that becomes a fail is another finding."""
        return cls(service, at, earlier, result, {(f.fingerprint, f.kind.value): f for f in findings})


def finding_values(connection: Connection, told: Told) -> Mapping[Key, Value]:
    """The number of what accepts it by the finding's number; both are made where they are missing."""
    known = _known(connection, told.service)
    missing = [_row(told, f) for identity, f in told.findings.items() if identity not in known]
    if missing:
        connection.execute(insert(Finding), missing)
        of_itself = update(Finding).where(Finding.service_id == told.service, Finding.origin_id.is_(None))
        connection.execute(of_itself.values(origin_id=Finding.id))
    if told.at.after is None:
        _move(connection, known, told)
    if missing:
        known = _known(connection, told.service)
    _follow(connection, known, told)
    acceptances = acceptance_values(connection, told.service, (f.acceptance for f in told.findings.values()))
    return {known[identity].id: (acceptances.get(f.acceptance),) for identity, f in told.findings.items()}


def _known(connection: Connection, service: int) -> dict[_Identity, _Known]:
    places = [getattr(Finding, name) for name in _PLACE]
    columns = (Finding.id, Finding.origin_id, Finding.fingerprint, Finding.kind, Finding.rule, Finding.subject_id)
    query = select(*columns, Finding.code, *places).where(Finding.service_id == service)
    return {
        (mark, kind): _Known(id_, origin, rule, kind, subject, code, tuple(place))
        for id_, origin, mark, kind, rule, subject, code, *place in connection.execute(query)
    }


def _move(connection: Connection, known: Mapping[_Identity, _Known], told: Told) -> None:
    """What the newest scan says of a finding's place holds."""
    moved = []
    for identity, finding in told.findings.items():
        if identity in known and (place := _place(finding, told.result)) != known[identity].place:
            values = {f"new_{name}": value for name, value in zip(_PLACE, place, strict=True)}
            moved.append({"finding": known[identity].id} | values)
    if moved:
        change: dict[str, BindParameter[object]] = {name: bindparam(f"new_{name}") for name in _PLACE}
        connection.execute(update(Finding).where(Finding.id == bindparam("finding")).values(change), moved)


def _follow(connection: Connection, known: Mapping[_Identity, _Known], told: Told) -> None:
    """Whoever edits a line that stays wrong makes another fingerprint of an old finding, and no new finding: what came
    is matched with what is gone, as the gate does.
    """
    if told.earlier is None:
        return
    by_id = {finding.id: finding for finding in known.values()}
    before = [by_id[id_] for id_ in _there(connection, *told.earlier)]
    now = {known[identity].id for identity in told.findings}
    gone = [finding for finding in before if finding.id not in now]
    seen = {finding.id for finding in before} | _seen(connection, told.at.branch)
    came = [
        identity
        for identity in told.findings
        if known[identity].id not in seen and known[identity].origin == known[identity].id
    ]
    if not gone or not came:
        return
    matches = match(
        [marked(f.rule, Kind(f.kind), f.path, f.line, f.subject_id, f.code) for f in gone],
        [mark_of(told.findings[identity], told.result) for identity in came],
    )
    for found in matches:
        old, new = gone[found.old], known[came[found.new]]
        if old.origin != new.id:
            connection.execute(update(Finding).where(Finding.origin_id == new.id).values(origin_id=old.origin))


def _there(connection: Connection, branch: int, at: datetime) -> list[int]:
    """The findings at a scan."""
    runs = (FindingRun.branch_id == branch, FindingRun.first <= at, FindingRun.last >= at)
    return list(connection.scalars(select(FindingRun.finding_id).where(*runs).order_by(FindingRun.finding_id)))


def _seen(connection: Connection, branch: int) -> set[int]:
    """All findings that were ever there: what comes back was not edited."""
    return set(connection.scalars(select(FindingRun.finding_id).where(FindingRun.branch_id == branch).distinct()))


def _row(told: Told, finding: JudgedVerdict) -> dict[str, object]:
    return {
        "service_id": told.service,
        "fingerprint": finding.fingerprint,
        "kind": finding.kind.value,
        "rule": finding.rule,
        "subject_kind": finding.subject.kind,
        "subject_id": finding.subject.id,
        "code": mark_of(finding, told.result).text,
        **dict(zip(_PLACE, _place(finding, told.result), strict=True)),
    }


def _place(finding: JudgedVerdict, result: ScanResult) -> tuple[object, ...]:
    where = finding.location
    return (
        finding.severity.value,
        clean(where.path),
        where.line,
        clean(finding.message),
        clean(finding.subject.label),
        clean("\n".join(result.owners.get(where.path, ()))),
    )
