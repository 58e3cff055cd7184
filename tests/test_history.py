"""A store of scans, in SQLite and in PostgreSQL: what goes in comes out, whoever writes beside and whatever breaks."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import func, insert, inspect, select, text, update

from assay.reports import json_report
from assay.scanner.history import migrations, urls
from assay.scanner.history.database import Database
from assay.scanner.history.records import Change, FindingRecord, Origin, StoreError
from assay.scanner.history.schema import HEAD, VERSION_TABLE, upgrade
from assay.scanner.history.store import Store
from assay.scanner.history.tables import AcceptanceRow, Base, Branch, Finding, FindingRun, Report, Scan, Service
from assay.scanner.model.place import Location
from assay.scanner.results import Acceptance, AcceptedBy, Execution, GateStatus, JudgedVerdict, ScanResult, Since
from assay.scanner.verdicts import Kind, Severity
from tests.databases import Server, postgresql_server
from tests.samples import UNICODE, gated_result, sample_result

SHOP = Origin("acme/shop", "main", "main")
NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
DAY = timedelta(days=1)
FIRST = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def started() -> Iterator[Callable[[], Server]]:
    """The PostgreSQL server, which only the tests that need it start."""
    with ExitStack() as stack:
        running: list[Server] = []

        def server() -> Server:
            if not running:
                running.append(stack.enter_context(postgresql_server()))
            return running[0]

        yield server


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path, started: Callable[[], Server]) -> Iterator[str]:
    """Where a store can be made; there is none yet."""
    if request.param == "sqlite":
        yield str(tmp_path / "history.db")
        return
    with started().database() as named:
        yield named


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with Store.open(url, json_report, create=True) as opened:
        yield opened


def scan_of(day: int, result: ScanResult | None = None, commit: str = "") -> ScanResult:
    """The sample as if it had been committed on that day of 2026."""
    sample = result or sample_result()
    moment = FIRST + day * DAY
    scanned = replace(sample.scanned, commit=commit or f"{day:040x}", committed=f"{moment:%Y-%m-%dT%H:%M:%SZ}")
    return replace(sample, scanned=scanned)


def without(result: ScanResult, *marks: str) -> ScanResult:
    """The result without the verdicts whose fingerprints begin so."""
    return replace(result, verdicts=tuple(v for v in result.verdicts if not v.fingerprint.startswith(marks)))


def with_changed(result: ScanResult, mark: str, change: Callable[[JudgedVerdict], JudgedVerdict]) -> ScanResult:
    verdicts = tuple(change(v) if v.fingerprint.startswith(mark) else v for v in result.verdicts)
    return replace(result, verdicts=verdicts)


def number(store: Store, name: str) -> int:
    """Of the service of that name."""
    return next(service.id for service in store.services() if service.name == name)


def brief(change: Change) -> tuple[list[str], list[str], list[str], list[str]]:
    """The beginnings of the fingerprints of what a scan brought."""
    sides = (change.new, change.fixed, change.accepted, change.reopened)
    first, *others = (sorted(f.fingerprint[:2] for f in side) for side in sides)
    return first, others[0], others[1], others[2]


def count(store: Store, table: type[Base]) -> int:
    with store.database.reading() as connection:
        return connection.scalar(select(func.count()).select_from(table)) or 0


# --- what goes in comes out -------------------------------------------------------------------------------------------


def test_a_scan_is_kept_with_all_that_it_told(store: Store) -> None:
    result = gated_result()
    scans = store.add(result, SHOP, NOW)
    billing, orders = store.services()
    assert [(s.repository, s.name, s.branch, s.branches, s.scans) for s in (billing, orders)] == [
        ("acme/shop", "billing", "main", ("main",), 1),
        ("acme/shop", "orders", "main", ("main",), 1),
    ]
    assert {billing.latest.id, orders.latest.id} == set(scans)
    assert orders.label == "acme/shop: orders"
    told = result.services[0]
    kept = orders.latest
    assert (kept.commit, kept.tree, kept.root, kept.frameworks) == (
        result.scanned.commit,
        result.scanned.root,
        told.root,
        told.frameworks,
    )
    assert (kept.score, kept.grade, kept.coverage, kept.edition) == (told.score, told.grade, told.coverage, "2026.1")
    assert (kept.tool_version, kept.execution, kept.stored) == ("1.2.3", Execution.FAILED, NOW)
    assert kept.committed == kept.at == datetime(2026, 1, 31, 12, tzinfo=UTC)
    # The medium one is of a preview rule, which doesn't count.
    assert kept.fails == {Severity.CRITICAL: 1, Severity.HIGH: 1, Severity.MEDIUM: 0, Severity.LOW: 1}
    assert (kept.failed, kept.review, kept.accepted, kept.new, kept.fixed) == (3, 1, 1, 1, 1)
    assert kept.gate is not None
    assert (kept.gate.status, kept.gate.reason) == (GateStatus.FAILED, result.gate.reason if result.gate else "")
    assert kept.has_report


def test_scores_and_counts_of_a_scan(store: Store) -> None:
    scan, _ = store.add(gated_result(), SHOP, NOW)
    details = store.scan(scan)
    told = gated_result().services[0]
    assert [(s.id, s.title, s.weight, s.score) for s in details.sections] == [
        (s.id, s.title, s.weight, s.score) for s in told.sections
    ]
    principles = [p for s in told.sections for p in s.principles]
    assert [(p.id, p.status, p.score, p.cap) for p in details.principles] == [
        (p.id, p.status, p.score, p.cap) for p in principles
    ]
    api4 = details.principles[0]
    assert (api4.section, api4.passed, api4.failed, api4.compliance) == ("API", 1, 1, 0.5)
    expiries = {p.id: p.attestation.expires for p in principles if p.attestation}
    assert {p.id: p.attested_until for p in details.principles if p.attested_until} == expiries
    assert [r.code for r in details.rules] == ["API401", "OBS101", "SEC101"]
    assert details.rules[0].counts == principles[0].rules[0]
    assert details.rules[0].severity is Severity.HIGH


def test_findings_come_worst_first_with_what_accepts_them(store: Store) -> None:
    scan, _ = store.add(gated_result(), SHOP, NOW)
    findings = store.findings(scan)
    assert [f.fingerprint[:2] for f in findings] == ["b1", "a1", "a5", "c1", "a3"]
    worst = findings[0]
    assert (worst.rule, worst.kind, worst.severity, worst.path, worst.line) == (
        "SEC101",
        Kind.FAIL,
        Severity.CRITICAL,
        "orders/api.py",
        15,
    )
    assert worst.subject.label == "query in find_user"
    accepted = {f.fingerprint[:2]: f.acceptance for f in findings if f.acceptance}
    assert accepted == {
        "a5": Acceptance(AcceptedBy.WAIVER, "at most 20 users exist", owner="@payments", expires="2026-06-30")
    }


def test_owners_are_those_of_the_newest_scan_and_a_service_s_team_is_its_scan_s(store: Store) -> None:
    first = {"orders": ("@acme/shop",), "orders/api.py": ("@acme/shop",)}
    for day, owners in ((1, first), (2, {"orders": ("Orders team",), "orders/api.py": (UNICODE, "@ada")}), (3, {})):
        store.add(replace(scan_of(day), owners=owners), SHOP, NOW)
        orders = next(s for s in store.services() if s.name == "orders")
        (worst, *_) = store.findings(orders.latest.id)
        assert (orders.latest.team, worst.owners) == (
            next(iter(owners.get("orders", ("",)))),
            owners.get("orders/api.py", ()),
        )
    assert [scan.team for scan in store.scans(orders.id)] == ["@acme/shop", "Orders team", ""]


def test_the_whole_report_is_kept_a_service_each(store: Store) -> None:
    result = gated_result()
    scan, _ = store.add(result, SHOP, NOW)
    kept = store.latest_report(number(store, "orders"))
    assert kept is not None
    assert [s.name for s in kept.services] == ["orders"]
    assert [v.fingerprint for v in kept.verdicts] == [v.fingerprint for v in result.verdicts if v.service == "orders"]
    assert kept.gate == result.gate
    assert store.report(scan) == kept
    assert count(store, Report) == 1


def test_what_a_later_scan_brought(store: Store) -> None:
    whole = sample_result()
    waiver = Acceptance(AcceptedBy.WAIVER, "soon gone", id="W-1", owner="@api")
    store.add(scan_of(1, whole), SHOP, NOW)
    store.add(scan_of(2, without(whole, "b1", "c3")), SHOP, NOW)
    store.add(scan_of(3, with_changed(whole, "b1", lambda v: replace(v, acceptance=waiver))), SHOP, NOW)
    store.add(scan_of(4, with_changed(whole, "a1", lambda v: replace(v, acceptance=waiver))), SHOP, NOW)
    changes = store.changes(number(store, "orders"))
    assert [brief(change) for change in changes] == [
        (["a1", "a3", "a5", "b1", "c1", "c3"], [], [], []),
        ([], ["b1", "c3"], [], []),
        (["b1", "c3"], [], [], []),
        ([], [], ["a1"], ["b1"]),
    ]
    assert [change.before.id if change.before else None for change in changes] == [
        None,
        *(change.scan.id for change in changes[:-1]),
    ]
    orders = number(store, "orders")
    assert store.changes(orders, since=FIRST + 2 * DAY, until=FIRST + 3 * DAY) == changes[1:3]
    assert [s.commit for s in store.scans(orders, since=FIRST + 3 * DAY)] == [f"{3:040x}", f"{4:040x}"]
    (back,) = (f for f in store.findings(changes[3].scan.id) if f.fingerprint.startswith("b1"))
    assert (back.first_seen, back.first_commit) == (FIRST + DAY, f"{1:040x}")


@pytest.mark.parametrize("seed", range(3))
def test_changes_are_the_differences_of_neighbours_wherever_one_begins_to_look(store: Store, seed: int) -> None:
    chance = random.Random(seed)
    marks = ("a1", "a3", "a5", "b1", "c1", "c3")
    days = list(range(1, 13))
    there = {day: {mark for mark in marks if chance.random() < 0.6} for day in days}
    there[1] = set(marks)
    # So that nothing is taken for an edit of another: all have been seen.
    for day in (1, *chance.sample(days[1:], len(days) - 1)):
        store.add(scan_of(day, without(sample_result(), *(set(marks) - there[day]))), SHOP, NOW)
    orders = number(store, "orders")
    changes = store.changes(orders)
    for day, change in zip(days[1:], changes[1:], strict=True):
        gone, came = there[day - 1] - there[day], there[day] - there[day - 1]
        assert brief(change)[:2] == (sorted(came), sorted(gone))
    for place, day in enumerate(days):
        assert store.changes(orders, since=FIRST + day * DAY) == changes[place:]
        assert store.all_changes(since=FIRST + day * DAY)[orders] == changes[place:]
    for scan, day in zip(store.scans(orders), days, strict=True):
        assert {f.fingerprint[:2] for f in store.findings(scan.id)} == there[day]


def test_an_edited_line_that_stays_wrong_is_no_new_finding(store: Store) -> None:
    def edited(verdict: JudgedVerdict) -> JudgedVerdict:
        place = Location("orders/api.py", 17, 1, 17, 12)
        return replace(verdict, fingerprint="b9" * 16, location=place)

    store.add(scan_of(1), SHOP, NOW)
    after = with_changed(sample_result(), "b1", edited)
    store.add(scan_of(2, after), SHOP, NOW)
    store.add(scan_of(3, without(after, "b9")), SHOP, NOW)
    changes = store.changes(number(store, "orders"))
    assert [brief(change)[:2] for change in changes[1:]] == [([], []), ([], ["b9"])]
    (finding,) = (f for f in store.findings(changes[1].scan.id) if f.rule == "SEC101")
    assert (finding.fingerprint, finding.first_seen, finding.line) == ("b9" * 16, FIRST + DAY, 17)


def test_old_code_pasted_beside_its_edit_is_new(store: Store) -> None:
    edited = with_changed(sample_result(), "b1", lambda v: replace(v, fingerprint="b9" * 16))
    both = replace(edited, verdicts=(*edited.verdicts, *(v for v in sample_result().verdicts if v.rule == "SEC101")))
    for day, result in enumerate((sample_result(), edited, both, edited), start=1):
        store.add(scan_of(day, result), SHOP, NOW)
    changes = store.changes(number(store, "orders"))
    assert [brief(change)[:2] for change in changes[1:]] == [([], []), (["b1"], []), ([], ["b1"])]


def test_periods_of_scores(store: Store) -> None:
    sample = sample_result()
    orders, billing = sample.services
    better = replace(orders, sections=tuple(replace(s, score=99.0) if s.id == "SEC" else s for s in orders.sections))
    for day, service in enumerate((orders, orders, better, orders), start=1):
        store.add(scan_of(day, replace(sample, services=(service, billing))), SHOP, NOW)
    id_ = number(store, "orders")
    history = store.section_history(id_)
    assert list(history) == ["API", "OBS", "OPS", "SEC"]
    assert [(p.first, p.last, p.value.score) for p in history["SEC"]] == [
        (FIRST + DAY, FIRST + 2 * DAY, 0.0),
        (FIRST + 3 * DAY, FIRST + 3 * DAY, 99.0),
        (FIRST + 4 * DAY, None, 0.0),
    ]
    assert len(history["API"]) == 1
    assert history["API"][0].holds_at(NOW)
    assert set(store.principle("API4")) == {id_, number(store, "billing")}
    assert [p.value.counts.failed for p in store.rule("SEC101")[id_]] == [1]
    assert list(store.principle_history(id_)) == ["API4", "API5", "OBS1", "OPS9", "SEC1"]
    assert list(store.rule_history(id_)) == ["API401", "OBS101", "OBS102", "SEC101"]
    assert store.rule("API999") == {}


def test_a_course_is_all_that_a_branch_told(store: Store) -> None:
    accepted = Acceptance(AcceptedBy.WAIVER, "later", owner="@ada")
    waived = with_changed(sample_result(), "a1", lambda v: replace(v, acceptance=accepted))
    edited = with_changed(waived, "b1", lambda v: replace(v, fingerprint="b9" * 16))
    for day, result in enumerate((sample_result(), waived, without(edited, "c1"), edited), start=1):
        store.add(scan_of(day, result), SHOP, NOW)
    id_ = number(store, "orders")
    course = store.course(id_)
    assert course.scans == store.scans(id_)
    assert course.sections == store.section_history(id_)
    assert course.principles == store.principle_history(id_)
    assert course.rules == store.rule_history(id_)
    spans = {
        periods[-1].value.fingerprint[:2]: [
            ((p.first - FIRST).days, p.last and (p.last - FIRST).days, p.value.acceptance is not None) for p in periods
        ]
        for periods in course.findings
    }
    assert spans["a1"] == [(1, 1, False), (2, None, True)]
    assert spans["b9"] == [(1, 2, False), (3, None, False)]
    assert spans["c1"] == [(1, 2, False), (4, None, False)]
    assert spans["a3"] == [(1, None, False)]
    with pytest.raises(StoreError, match="no service 99"):
        store.course(99)


def test_all_services_at_once_are_what_each_is_alone(store: Store) -> None:
    for day in (1, 2):
        store.add(scan_of(day), SHOP, NOW)
    store.add(scan_of(3, without(sample_result(), "a1")), Origin("acme/other", "trunk"), NOW)
    scans, findings = store.all_scans(), store.open_findings()
    principles, sections, rules = store.latest_principles(), store.latest_sections(), store.latest_rules()
    services = store.services()
    assert [s.label for s in services] == [
        "acme/other: billing",
        "acme/other: orders",
        "acme/shop: billing",
        "acme/shop: orders",
    ]
    for service in services:
        details = store.scan(service.latest.id)
        assert tuple(scans[service.id]) == store.scans(service.id)
        assert findings.get(service.id, ()) == store.findings(service.latest.id)
        assert (sections[service.id], principles[service.id]) == (details.sections, details.principles)
        assert rules[service.id] == details.rules
    assert [p.id for p in store.standard().principles] == ["API4", "API5", "OBS1", "OPS9", "SEC1"]
    assert store.standard().edition == "2026.1"


# --- which scan replaces which ----------------------------------------------------------------------------------------


def test_an_equal_commit_replaces_and_keeps_its_number(store: Store) -> None:
    first = store.add(scan_of(1), SHOP, NOW)
    store.add(scan_of(2), SHOP, NOW)
    again = store.add(scan_of(1, without(sample_result(), "b1")), SHOP, NOW + DAY)
    assert again == first
    orders = number(store, "orders")
    assert [(s.id, s.stored) for s in store.scans(orders)] == [(first[0], NOW + DAY), (first[0] + 2, NOW)]
    assert "b1" not in {f.fingerprint[:2] for f in store.findings(first[0])}
    assert [brief(change)[0] for change in store.changes(orders)][1] == ["b1"]
    assert store.add(scan_of(1), SHOP, NOW) == first
    assert [len(change.new) for change in store.changes(orders)] == [6, 0]
    assert count(store, Report) == 2


def test_a_commit_may_be_on_two_branches(store: Store) -> None:
    store.add(scan_of(1), SHOP, NOW)
    store.add(scan_of(2, without(sample_result(), "b1")), replace(SHOP, branch="fix"), NOW)
    store.add(scan_of(2, without(sample_result(), "b1")), SHOP, NOW)
    (_, orders) = store.services()
    assert (orders.branch, orders.branches, orders.scans) == ("main", ("fix", "main"), 2)
    assert len(store.scans(orders.id, branch="fix")) == 1
    with pytest.raises(StoreError, match=r"no scans of a branch 'nope' of this service; it has: fix, main"):
        store.scans(orders.id, branch="nope")


def test_the_default_branch_is_the_one_that_history_is_told_by(store: Store) -> None:
    for day, branch in enumerate(("feature", "feature", "trunk"), start=1):
        store.add(scan_of(day), Origin("acme/shop", branch), NOW)
    assert store.services()[0].branch == "trunk"
    store.add(scan_of(4), Origin("acme/shop", "release", "release"), NOW)
    assert store.services()[0].branch == "release"


def test_an_older_scan_goes_to_its_place_in_time(store: Store) -> None:
    for day in (1, 3):
        store.add(scan_of(day), SHOP, NOW)
    store.add(scan_of(2, without(sample_result(), "b1")), SHOP, NOW)
    orders = number(store, "orders")
    assert [s.at for s in store.scans(orders)] == [FIRST + day * DAY for day in (1, 2, 3)]
    assert [brief(change)[:2] for change in store.changes(orders)[1:]] == [([], ["b1"]), (["b1"], [])]


def test_commits_of_one_second_keep_the_order_in_which_they_came(store: Store) -> None:
    for commit in ("c", "a", "b"):
        store.add(scan_of(1, commit=commit * 40), SHOP, NOW)
    assert [(s.commit or "")[0] for s in store.scans(number(store, "orders"))] == ["c", "a", "b"]


def test_scans_without_a_commit_are_kept_each(store: Store) -> None:
    loose = sample_result()
    loose = replace(loose, scanned=replace(loose.scanned, commit=None, committed=None))
    for day in range(2):
        store.add(loose, Origin("shop"), NOW + day * DAY)
    assert [(s.at, s.commit) for s in store.scans(number(store, "orders"))] == [(NOW, None), (NOW + DAY, None)]


def test_a_commit_of_the_future_is_no_newer_than_its_scan(store: Store) -> None:
    store.add(scan_of(3650), SHOP, NOW)
    assert store.services()[0].latest.at == NOW


def test_only_whole_scans_are_kept(store: Store) -> None:
    part = sample_result()
    part = replace(part, scanned=replace(part.scanned, since=Since("main", "1" * 40, 3)))
    with pytest.raises(StoreError, match="only findings in lines changed since main"):
        store.add(part, SHOP, NOW)
    with pytest.raises(StoreError, match="no service was found"):
        store.add(replace(sample_result(), services=()), SHOP, NOW)
    assert store.services() == ()


# --- forgetting -------------------------------------------------------------------------------------------------------


def test_whole_reports_are_kept_as_long_as_configured(store: Store) -> None:
    for day in range(12):
        store.add(scan_of(day), SHOP, NOW)
    orders = number(store, "orders")
    assert [s.has_report for s in store.scans(orders)] == [False] * 2 + [True] * 10
    assert store.report(store.scans(orders)[0].id) is None
    assert store.prune(reports=2).reports == 8
    store.add(scan_of(12), SHOP, NOW)
    assert sum(s.has_report for s in store.scans(orders)) == 2
    assert count(store, Report) == 2


def test_pruning_keeps_the_newest_and_what_they_tell(store: Store) -> None:
    for day in range(1, 5):
        store.add(scan_of(day, without(sample_result(), "b1") if day == 1 else None), SHOP, NOW)
    store.add(scan_of(1), replace(SHOP, branch="old"), NOW)
    store.add(scan_of(5), replace(SHOP, branch="young"), NOW)
    orders = number(store, "orders")
    before = store.findings(store.scans(orders)[-1].id)
    pruned = store.prune(keep=2, before=FIRST + 3 * DAY)
    assert (pruned.scans, pruned.left) == (6, 6)
    assert [s.branches for s in store.services()] == [("main", "young"), ("main", "young")]
    after = store.findings(store.scans(orders)[-1].id)
    assert [replace(f, first_seen=NOW, first_commit="") for f in after] == [
        replace(f, first_seen=NOW, first_commit="") for f in before
    ]
    assert {f.first_seen for f in after} == {FIRST + 3 * DAY}


def test_what_no_scan_tells_is_gone(store: Store) -> None:
    scans = store.add(gated_result(), SHOP, NOW)
    with pytest.raises(StoreError, match="there is no scan 999"):
        store.remove([*scans, 999])
    assert len(store.services()) == 2
    store.remove(scans)
    assert store.services() == ()
    for table in (Service, Branch, Scan, Finding, FindingRun, AcceptanceRow, Report):
        assert count(store, table) == 0


# --- opening ----------------------------------------------------------------------------------------------------------


def test_reading_makes_no_store(url: str, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="there is no store"):
        Store.open(url, json_report)
    assert list(tmp_path.iterdir()) == []
    Store.open(url, json_report, create=True).close()
    with Store.open(url, json_report) as store:
        assert store.services() == ()


def test_a_store_of_the_first_schema_is_upgraded_with_all_that_is_in_it(url: str) -> None:
    database = Database.at(urls.parsed(url))
    with database.writing() as connection:
        upgrade(connection, "0001")
        owner = {"repository": "acme/shop", "name": "orders", "default_branch": "main"}
        connection.execute(insert(Service).values(**owner))
        connection.execute(insert(Branch).values(service_id=1, name="main"))
        connection.execute(insert(Report).values(content=zlib.compress(json_report.render(scan_of(1)).encode())))
        counts = dict.fromkeys(("critical", "high", "medium", "low", "review", "accepted"), 0)
        words = dict.fromkeys(("tree", "prefix", "root", "frameworks", "configuration", "gate_reason"), "")
        told = {"commit": "a" * 40, "tool_version": "0.9", "edition": "2025.1", "execution": "complete", "grade": "B"}
        moments = {"at": FIRST, "stored": NOW}
        figures = {"coverage": 1.0, "score": 80.0, "files_read": 1, "files_wanted": 1, "gate_is_enforced": False}
        connection.execute(
            insert(Scan).values(branch_id=1, report_id=1, **counts, **words, **told, **moments, **figures)
        )
        connection.execute(
            text(
                "INSERT INTO assay_findings (service_id, fingerprint, kind, rule, subject_kind, subject_id,"
                " subject_label, severity, path, line, message)"
                " VALUES (1, 'a1', 'fail', 'API401', 'endpoint', 'GET /', 'GET /', 'high', 'api.py', 3, 'wrong')"
            )
        )
        far = datetime(9999, 12, 31, tzinfo=UTC)
        connection.execute(insert(FindingRun).values(branch_id=1, finding_id=1, first=FIRST, last=far))
    database.close()
    with Store.open(url, json_report) as store:
        (service,) = store.services()
        assert (service.label, service.latest.score) == ("acme/shop: orders", 80.0)
        assert [(f.fingerprint, f.owners) for f in store.findings(1)] == [("a1", ())]
        assert service.latest.team == ""
        assert store.latest_report(1) is not None
        owners = {"orders": ("@acme/shop",), "orders/api.py": ("@acme/shop", "@ada")}
        store.add(replace(scan_of(2), owners=owners), SHOP, NOW)
        assert [s.latest.team for s in store.services()] == ["", "@acme/shop"]
        assert store.open_findings()[1][0].owners == ("@acme/shop", "@ada")
        assert [len(change.fixed) for change in store.changes(1)] == [0, 1]
        with store.database.reading() as connection:
            assert connection.scalar(text(f"SELECT version_num FROM {VERSION_TABLE}")) == HEAD


def test_migrations_lead_to_the_tables_that_the_code_knows(store: Store) -> None:
    with store.database.reading() as connection:
        context = MigrationContext.configure(
            connection, opts={"version_table": VERSION_TABLE, "compare_type": True, "compare_server_default": False}
        )
        differences = compare_metadata(context, Base.metadata)
    assert [d for d in differences if not is_width(d)] == []


def is_width(difference: object) -> bool:
    """SQLite writes TEXT and BIGINT for types of our own; what they are made of is the same."""
    return isinstance(difference, list) and all(part[0] == "modify_type" for part in difference)


def test_the_newest_migration_is_the_one_that_is_looked_for() -> None:
    scripts = ScriptDirectory(str(Path(migrations.__file__).parent))
    assert scripts.get_current_head() == HEAD
    assert [s.revision for s in reversed(list(scripts.walk_revisions()))] == [
        f"{number:04}" for number in range(1, int(HEAD) + 1)
    ]


def test_a_store_of_a_later_assay(store: Store, url: str) -> None:
    with store.database.writing() as connection:
        connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '0999'"))
    with pytest.raises(StoreError, match=r"of a later Assay \(its schema is '0999', and this one knows '\d+'\)"):
        Store.open(url, json_report)


def test_a_database_of_something_else(url: str) -> None:
    database = Database.at(urls.parsed(url))
    with database.writing() as connection:
        connection.execute(text("CREATE TABLE assay_scans (id INTEGER)"))
    database.close()
    with pytest.raises(StoreError, match=r"it is a database, but no store of Assay \(it has a table 'assay_scans'\)"):
        Store.open(url, json_report, create=True)
    with database.reading() as connection:
        assert inspect(connection).get_table_names() == ["assay_scans"]
    database.close()


def test_a_team_s_database_may_hold_other_things(started: Callable[[], Server]) -> None:
    with started().database() as named:
        database = Database.at(urls.parsed(named))
        with database.writing() as connection:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES ('theirs')"))
        with Store.open(named, json_report, create=True) as store:
            store.add(sample_result(), SHOP, NOW)
        with database.reading() as connection:
            assert connection.scalar(text("SELECT version_num FROM alembic_version")) == "theirs"
        database.close()


@pytest.mark.parametrize("content", [b"# no database\n" * 100, b"{}", b"SQLite format 3\0" + b"\xff" * 4096])
def test_a_file_that_is_no_store(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "results.json"
    file.write_bytes(content)
    with pytest.raises(StoreError) as caught:
        Store.open(str(file), json_report, create=True)
    assert str(caught.value).startswith(f"{file}: ")
    assert str(caught.value).count("\n") == 0
    assert file.read_bytes() == content


def test_a_file_in_no_folder(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="is its folder there"):
        Store.open(str(tmp_path / "nowhere" / "history.db"), json_report, create=True)


@pytest.mark.parametrize(
    ("address", "message"),
    [
        ("", "the store's URL is empty"),
        (":memory:", "names no file"),
        ("sqlite://", "names no file"),
        ("mysql://root:secret@db/assay", "'mysql' is no database that Assay can use"),
        ("postgresql://root:secret@db:port/assay", "can't be read"),
        ("postgresql://root:sec@secret@db/assay", "write @ as %40"),
        ("postgresql://root:secret@db", r"postgresql://root:\*\*\*@db names no database"),
        ("secret secret://db", "its is no database"),
        ("postgresql://root:secret@127.0.0.1:1/assay", r"postgresql://root:\*\*\*@127.0.0.1:1/assay: .*refused"),
        ("postgresql://root@127.0.0.1:1/assay?password=secret", r"postgresql://root@127.0.0.1:1/assay: .*refused"),
    ],
)
def test_bad_urls_are_told_and_no_password_is(address: str, message: str) -> None:
    with pytest.raises(StoreError, match=message) as caught:
        Store.open(address, json_report, create=True)
    assert "secret" not in str(caught.value)


def test_without_psycopg_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(StoreError, match=r"pip install 'assay\[postgres\]'"):
        Store.open("postgresql://db/assay", json_report)


# --- whoever writes beside, and whatever breaks -----------------------------------------------------------------------

_WRITER = """\
import sys
from datetime import UTC, datetime
from assay.reports import json_report
from assay.scanner.history.records import Origin
from assay.scanner.history.store import Store
from tests.test_history import scan_of
url, first, last = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
for day in range(first, last):
    with Store.open(url, json_report, create=True) as store:
        store.add(scan_of(day), Origin("acme/shop", "main", "main"), datetime.now(UTC))
"""
_INTERRUPTED = """\
import sys
from datetime import UTC, datetime
from assay.reports import json_report
from assay.scanner.history import adding
from assay.scanner.history.records import Origin
from assay.scanner.history.store import Store
from tests.test_history import scan_of
with Store.open(sys.argv[1], json_report, create=True) as store, store.database.writing() as connection:
    adding.add(connection, scan_of(2), "{}", Origin("acme/shop", "main", "main"), datetime.now(UTC))
    print("in the middle", flush=True)
    sys.stdin.read()
"""


def start(script: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        cwd=Path(__file__).parent.parent,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_several_writers_at_once_from_the_first_moment_on(url: str) -> None:
    writers = [start(_WRITER, url, str(first), str(first + 4)) for first in (1, 5, 1)]
    for writer in writers:
        _, errors = writer.communicate(timeout=120)
        assert writer.returncode == 0, errors.decode()
    with Store.open(url, json_report) as store:
        orders = number(store, "orders")
        assert [s.commit for s in store.scans(orders)] == [f"{day:040x}" for day in range(1, 9)]
        changes = store.changes(orders)
        assert [len(change.new) + len(change.fixed) for change in changes] == [6] + [0] * 7
        assert count(store, Finding) == 7


def test_a_write_that_is_killed_leaves_nothing_half(url: str) -> None:
    with Store.open(url, json_report, create=True) as store:
        store.add(scan_of(1, without(sample_result(), "b1")), SHOP, NOW)
        before = store.scans(number(store, "orders")), store.open_findings()
    writer = start(_INTERRUPTED, url)
    assert writer.stdout is not None
    assert writer.stdout.readline() == b"in the middle\n"
    with Store.open(url, json_report) as store:
        # Nobody who reads waits for it, or sees any of it.
        assert (store.scans(number(store, "orders")), store.open_findings()) == before
    os.kill(writer.pid, signal.SIGKILL)
    writer.communicate(timeout=60)
    with Store.open(url, json_report) as store:
        assert (store.scans(number(store, "orders")), store.open_findings()) == before
        store.add(scan_of(2), SHOP, NOW)
        assert [brief(change)[0] for change in store.changes(number(store, "orders"))][1] == ["b1"]


def test_a_failing_scan_among_several_leaves_none_of_them(store: Store) -> None:
    with pytest.raises(StoreError):
        store.add_all([(scan_of(1), SHOP), (replace(scan_of(2), services=()), SHOP)], NOW)
    assert store.services() == ()
    assert count(store, Report) == 0


def test_a_damaged_report_is_told(store: Store) -> None:
    scan, _ = store.add(scan_of(1), SHOP, NOW)
    with store.database.writing() as connection:
        connection.execute(update(Report).values(content=b"no zlib"))
    with pytest.raises(StoreError, match=rf"the report of scan {scan} is damaged"):
        store.report(scan)


def test_what_no_database_takes_is_stored_all_the_same(store: Store) -> None:
    hostile = "a\0b\udc80c'; DROP TABLE assay_scans; --"
    sample = with_changed(
        sample_result(),
        "b1",
        lambda v: replace(v, message=hostile, location=replace(v.location, path=hostile), service=hostile),
    )
    services = tuple(replace(s, name=hostile) if s.name == "orders" else s for s in sample.services)
    result = replace(sample, services=services, scanned=replace(sample.scanned, root=hostile))
    for _ in range(2):
        store.add(result, Origin(hostile, hostile, hostile), NOW)
    shown = "a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c'; DROP TABLE assay_scans; --"
    service = next(s for s in store.services() if s.name == shown)
    assert (service.repository, service.branch, service.latest.tree, service.scans) == (shown, shown, shown, 1)
    (finding,) = store.findings(service.latest.id)
    assert (finding.path, finding.message) == (shown, shown)


def test_findings_of_one_fingerprint_are_one(store: Store) -> None:
    sample = sample_result()
    twice = replace(sample, verdicts=(*sample.verdicts, *sample.verdicts))
    scan, _ = store.add(twice, SHOP, NOW)
    assert len(store.findings(scan)) == 6


def test_records_hold_nothing_of_the_database(store: Store) -> None:
    scan, _ = store.add(gated_result(), SHOP, NOW)
    for record in (*store.services(), store.scan(scan), *store.findings(scan)):
        assert type(record).__module__ == "assay.scanner.history.records"
    assert all(type(f) is FindingRecord for found in store.open_findings().values() for f in found)
