"""Fills a store as a company of 300 services would in 100 scans each, and asks it what a dashboard asks.

`python benchmarks/history.py --store FILE` keeps what it made, and asks again where the store is there already.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection, inspect, text

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from assay.reports import json_report
from assay.scanner.history.records import Origin
from assay.scanner.history.store import Store
from assay.scanner.model.place import Location
from assay.scanner.results import (
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    RuleScore,
    Scanned,
    ScanResult,
    SectionScore,
    ServiceResult,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

SECTIONS, PRINCIPLES, RULES = 10, 4, 6
"""Sections, principles of a section, rules of a principle: 240 rules, as in the standard."""
TEAMS = 30
EDITED = 0.02
"""Share of a service's findings that a scan fixes, and as many come."""
LIMIT = 5.0
"""Seconds of this process that a question may take: on a machine that others use, the wall clock says little."""
_START = datetime(2026, 1, 1, tzinfo=UTC)
_NOW = datetime(2027, 1, 1, tzinfo=UTC)
_CODES = tuple(f"S{s}{p}{r:02}" for s in range(SECTIONS) for p in range(PRINCIPLES) for r in range(RULES))
_INFOS = tuple(RuleInfo(code, f"rule-{code}", "It is wrong.", code[:3], Severity.HIGH, (), "w", "f") for code in _CODES)


def scans(number: int, count: int, findings: int) -> Iterator[ScanResult]:
    """A service's history: some findings go, some come, and scores move with them."""
    chance = random.Random(number)  # noqa: S311 - the same figures every time
    there = [_finding(number, serial, chance) for serial in range(findings)]
    serial = findings
    for day in range(count):
        for _ in range(max(1, int(findings * EDITED)) if day else 0):
            there[chance.randrange(findings)] = _finding(number, serial, chance)
            serial += 1
        yield _result(number, day, tuple(there), chance)


def _finding(number: int, serial: int, chance: random.Random) -> JudgedVerdict:
    place = Location(f"service/module{serial % 97}.py", serial % 400 + 1, 1, serial % 400 + 1, 20)
    subject = SubjectReference("endpoint", f"GET /things/{serial}", f"GET /things/{serial}")
    severity = chance.choice(list(Severity))
    code = chance.choice(_CODES)
    mark = f"{number:04x}{serial:08x}"
    return JudgedVerdict("app", code, Kind.FAIL, severity, subject, place, "it is wrong; mend it", (), mark)


def _result(number: int, day: int, findings: tuple[JudgedVerdict, ...], chance: random.Random) -> ScanResult:
    fails = dict.fromkeys(_CODES, 0)
    for finding in findings:
        fails[finding.rule] += 1
    sections = tuple(
        SectionScore(
            f"S{s}",
            f"Section {s}",
            10.0,
            round(chance.uniform(60, 62), 1),
            tuple(_principle(f"S{s}{p}", fails) for p in range(PRINCIPLES)),
        )
        for s in range(SECTIONS)
    )
    moment = _START + timedelta(days=3 * day, minutes=number)
    service = ServiceResult("app", ".", ("FastAPI",), round(chance.uniform(50, 90), 1), "C", 0.98, sections, 99, 100)
    scanned = Scanned("app", f"{number:08x}{day:032x}", moment.isoformat(), 0.0, 100, 10_000)
    owners = {".": ("@company/team",)} | {f.location.path: ("@company/team", "@company/all") for f in findings}
    return ScanResult("2026.1", scanned, (service,), _INFOS, findings, (), owners=owners)


def _principle(id_: str, fails: dict[str, int]) -> PrincipleScore:
    rules = tuple(RuleScore(code, 20, fails[code]) for code in fails if code.startswith(id_))
    failed = sum(rule.failed for rule in rules)
    score = 100.0 * 20 * RULES / (20 * RULES + failed)
    return PrincipleScore(id_, f"Principle {id_}", 1.0, PrincipleStatus.SCORED, score, None, rules)


def _timed(ask: Callable[[], object]) -> tuple[float, float]:
    """Seconds on the wall, and of this process."""
    wall, own = time.perf_counter(), time.process_time()
    ask()
    return time.perf_counter() - wall, time.process_time() - own


def _fill(store: Store, services: int, count: int, findings: int, screen: Console) -> None:
    """One service is added scan by scan, and copied into the others: what is measured is how they are asked."""
    seconds, _ = _timed(
        lambda: store.add_all(
            ((result, Origin("company/service", "main", "main")) for result in scans(0, count, findings)), _NOW
        ),
    )
    screen.print(f"{1000 * seconds / count:.1f} ms to add a scan")
    with store.database.writing() as connection:
        _copy(connection, services - 1)


def _copy(connection: Connection, times: int) -> None:
    # What is put together here are names of tables and columns.
    sizes = {name: connection.scalar(text(f"SELECT max(id) FROM assay_{name}")) for name in _COPIED}  # noqa: S608
    for name, numbers in _COPIED.items():
        columns = [column["name"] for column in inspect(connection).get_columns(f"assay_{name}")]
        values = [f'"{column}"' for column in columns]
        for place, column in enumerate(columns):
            if column in numbers:
                values[place] += f" + :number * {sizes[numbers[column]]}"
            elif column == "repository":
                values[place] += " || CAST(:number AS TEXT)"
            elif column == "team":
                values[place] += f" || CAST(:number % {TEAMS} AS TEXT)"
        into = ", ".join(f'"{column}"' for column in columns)
        rows = f"SELECT {', '.join(values)} FROM assay_{name} WHERE id <= {sizes[name]}"  # noqa: S608
        for number in range(1, times + 1):
            connection.execute(text(f"INSERT INTO assay_{name} ({into}) {rows}"), {"number": number})
        if connection.dialect.name == "postgresql":
            # As it does by itself, sooner or later.
            connection.execute(text(f"ANALYZE assay_{name}"))
            sequence = f"pg_get_serial_sequence('assay_{name}', 'id')"
            connection.execute(text(f"SELECT setval({sequence}, (SELECT max(id) FROM assay_{name}))"))  # noqa: S608


_COPIED = {
    "services": {"id": "services"},
    "branches": {"id": "branches", "service_id": "services"},
    "scans": {"id": "scans", "branch_id": "branches"},
    "findings": {"id": "findings", "service_id": "services", "origin_id": "findings"},
    "section_runs": {"id": "section_runs", "branch_id": "branches"},
    "principle_runs": {"id": "principle_runs", "branch_id": "branches"},
    "rule_runs": {"id": "rule_runs", "branch_id": "branches"},
    "finding_runs": {"id": "finding_runs", "branch_id": "branches", "finding_id": "findings"},
}
"""The tables of which each service has rows of its own, with the columns that name rows, and of what."""


@click.command()
@click.option("--services", default=300, show_default=True)
@click.option("--scans", "count", default=100, show_default=True)
@click.option("--findings", default=300, show_default=True, help="Of each service, at any time.")
@click.option("--store", "url", help="A file or a database to make or to ask; by default one that is gone afterwards.")
def main(services: int, count: int, findings: int, url: str | None) -> None:
    """Exits with 1 where a question takes longer than allowed."""
    screen = Console(highlight=False)
    with tempfile.TemporaryDirectory() as folder:
        file = url or str(Path(folder) / "history.db")
        with Store.open(file, json_report, create=True) as store:
            if not store.services():
                _fill(store, services, count, findings, screen)
            slowest = _ask(store, screen)
        if Path(file).exists():
            screen.print(f"{Path(file).stat().st_size / 1e6:.0f} MB")
    sys.exit(slowest > LIMIT)


def _ask(store: Store, screen: Console) -> float:
    known = store.services()
    one = known[len(known) // 2]
    newest = next(scans(0, 1, 300))
    newest = replace(newest, scanned=replace(newest.scanned, commit="f" * 40, committed=_NOW.isoformat()))
    month = one.latest.at - timedelta(days=30)
    questions: dict[str, Callable[[], object]] = {
        "services": store.services,
        "all scans": store.all_scans,
        "heat map": store.latest_principles,
        "sections": store.latest_sections,
        "rules": store.latest_rules,
        "open findings": store.open_findings,
        "a principle": lambda: store.principle("S11"),
        "a rule": lambda: store.rule("S1101"),
        "a service's scans": lambda: store.scans(one.id),
        "a service's changes": lambda: store.changes(one.id),
        "a service's principles": lambda: store.principle_history(one.id),
        "all of a service": lambda: store.course(one.id),
        "a scan": lambda: store.scan(one.latest.id),
        "a scan's findings": lambda: store.findings(one.latest.id),
        "the last month's changes of all": lambda: store.all_changes(since=month),
        "all changes of all": store.all_changes,
        "the latest report": lambda: store.latest_report(one.id),
        "one scan more": lambda: store.add(newest, Origin(one.repository, "main", "main"), _NOW),
    }
    table = Table("question", "seconds", "of this process", box=None)
    slowest = 0.0
    for name, ask in questions.items():
        seconds, own = _timed(ask)
        slowest = max(slowest, own) if name != "all changes of all" else slowest
        table.add_row(name, f"{seconds:.2f}", f"{own:.2f}")
    screen.print(table)
    return slowest


if __name__ == "__main__":
    main()
