"""The scans of a store: tables and a page on a terminal, or JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from rich.console import Console

from assay.reports import figures
from assay.reports.jsontext import json_text
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.history.records import Change, FindingRecord, ScanDetails, ScanRecord, ServiceRecord
from assay.scanner.results import Execution, GateStatus, PrincipleStatus
from assay.scanner.verdicts import Severity

SCHEMA_VERSION = "1.0"
"""The minor number grows when fields are added, the major one when any is changed or removed."""
SHOWN = 10
"""New and fixed findings of a scan."""

_GATES = {GateStatus.PASSED: "✓ met", GateStatus.FAILED: "✗ not met", GateStatus.UNTRUSTED: "? untrusted"}
_MINUS = "\N{MINUS SIGN}"


def services_as_json(services: Sequence[ServiceRecord]) -> str:
    """Each service with its newest scan."""
    return json_text({"schema_version": SCHEMA_VERSION, "services": services})


def scans_as_json(service: ServiceRecord, changes: Sequence[Change]) -> str:
    """A service's scans in the order of the table, with how many findings each brought against the one before it."""
    scans = [{"scan": change.scan, "since_last": _numbers(change)} for change in changes]
    return json_text({"schema_version": SCHEMA_VERSION, "service": service, "scans": scans})


def scan_as_json(details: ScanDetails, findings: Sequence[FindingRecord], change: Change) -> str:
    """All that is kept of a scan, but for its whole report."""
    return json_text({"schema_version": SCHEMA_VERSION, "details": details, "since_last": change, "findings": findings})


def _numbers(change: Change) -> dict[str, int]:
    return {
        "new": len(change.new),
        "fixed": len(change.fixed),
        "accepted": len(change.accepted),
        "reopened": len(change.reopened),
    }


def render_services(services: Sequence[ServiceRecord], before: Mapping[int, ScanRecord], console: Console) -> None:
    """A line a service; `before` is the last but one scan of each that has one."""
    screen = Screen(console)
    if not services:
        screen.line("The store is empty.")
        return
    columns = [("service", False), ("scans", True), ("newest", True), ("commit", False), ("of", False)]
    columns += [("score", True), ("change", True), (_SEVERITIES, True)]
    rows = []
    for service in services:
        scan, last = service.latest, before.get(service.id)
        rows.append(
            (
                plain(service.label),
                f"{service.scans:,}",
                str(scan.id),
                _commit(scan),
                _day(scan.at),
                _score(scan),
                _moved(None if last is None else last.score, scan.score),
                _fails(scan),
            )
        )
    screen.table(columns, rows)


def render_scans(service: ServiceRecord, changes: Sequence[Change], of: int, console: Console) -> None:
    """A service's scans, newest first; `of` is how many there are."""
    screen = Screen(console)
    if not changes:
        screen.line(f"No scans of {plain(service.label)} in that time.")
        return
    branch = changes[0].scan.branch
    screen.line((plain(service.label), "bold"), f", {_branch(branch)}: {figures.count(of, 'scan')}")
    columns = [("scan", True), ("commit", False), ("of", False), ("score", True), ("change", True)]
    columns += [(_SEVERITIES, True), ("new", True), ("fixed", True), ("edition", False), ("gate", False)]
    screen.table(columns, [_row(change) for change in changes])
    if any(not change.is_trusted for change in changes):
        screen.line(("! files could not be read, so what is missing there may not be fixed", "yellow"))
    if len(changes) < of:
        screen.line((f"… {of - len(changes):,} more; --limit shows them", "dim"))


def _row(change: Change) -> tuple[str, ...]:
    scan, before = change.scan, change.before
    return (
        str(scan.id),
        _commit(scan),
        _minute(scan.at),
        _score(scan),
        _moved(None if before is None else before.score, scan.score),
        _fails(scan),
        figures.NOTHING if before is None else f"{len(change.new):,}",
        figures.NOTHING if before is None else f"{len(change.fixed):,}",
        plain(scan.edition),
        figures.NOTHING if scan.gate is None else _GATES[scan.gate.status],
    )


def render_scan(details: ScanDetails, findings: Sequence[FindingRecord], change: Change, console: Console) -> None:
    """A scan: what it is of, its scores by section and principle, and what it brought."""
    screen = Screen(console)
    scan = details.scan
    screen.line((f"Scan {scan.id}   {plain(details.service.label)}", "bold"), f"   {_branch(scan.branch)}")
    screen.line(f"commit {_commit(scan)} of {_minute(scan.at)}, stored {_minute(scan.stored)} UTC")
    screen.line(f"edition {plain(scan.edition)}, Assay {plain(scan.tool_version)}, {_report(scan)}")
    if scan.execution is not Execution.COMPLETE:
        screen.line((f"! the scan is {scan.execution.value}: not everything could be read or judged", "yellow"))
    if scan.gate is not None:
        screen.line(f"gate {_GATES[scan.gate.status]}: {plain(scan.gate.reason)}")
    screen.line()
    _scores(details, change, screen)
    counts = [f"{scan.fails[severity]:,} {severity.value}" for severity in Severity if scan.fails[severity]]
    screen.line(
        f"{figures.joined(counts) or 'no'} {'fail' if scan.failed == 1 else 'fails'}, {scan.review:,} to review, "
        f"{scan.accepted:,} accepted"
    )
    if change.before is None:
        screen.line((f"the first scan of this branch; {figures.count(len(findings), 'finding')}", "dim"))
        return
    screen.line((f"since scan {change.before.id}, commit {_commit(change.before)}:", "bold"))
    for sign, style, found in (("✗ new  ", "red", change.new), ("✓ fixed", "green", change.fixed)):
        for finding in found[:SHOWN]:
            screen.line((f"{sign}  ", style), _told(finding), indent=2)
        if len(found) > SHOWN:
            screen.line(f"… {len(found) - SHOWN:,} more {sign[2:].strip()}", indent=2)
    numbers = ", ".join(f"{number:,} {word}" for word, number in _numbers(change).items() if number)
    screen.line(numbers or "nothing changed", indent=2)


def _scores(details: ScanDetails, change: Change, screen: Screen) -> None:
    scan = details.scan
    before = None if change.before is None else change.before.score
    total = (f"Total {_score(scan)}", _moved(before, scan.score), f"coverage {figures.percent(scan.coverage)}")
    screen.line("   ".join(part for part in total if part))
    principles = [p for p in details.principles if p.status is not PrincipleStatus.NO_RULE_YET]
    screen.table(
        [("", False), ("principle", False), ("score", True), ("subjects that keep it", True)],
        [
            (
                plain(p.id),
                plain(p.title),
                figures.score(p.score) if p.status is PrincipleStatus.SCORED else p.status.value,
                f"{p.passed:,} of {p.passed + p.failed:,}" if p.passed + p.failed else figures.NOTHING,
            )
            for p in principles
        ],
    )
    screen.line()


def _told(finding: FindingRecord) -> str:
    place = f"{finding.path}:{finding.line}"
    return plain(f"{finding.severity.value}  {finding.rule}  {place}  {finding.message}")


_SEVERITIES = "fails c/h/m/l"


def _fails(scan: ScanRecord) -> str:
    return "/".join(f"{scan.fails[severity]}" for severity in Severity)


def _commit(scan: ScanRecord) -> str:
    return plain(scan.commit[:7]) if scan.commit else figures.NOTHING


def _branch(name: str) -> str:
    return f"branch {plain(name)}" if name else "of no known branch"


def _score(scan: ScanRecord) -> str:
    mark = "" if scan.execution is Execution.COMPLETE else " !"
    return plain(scan.grade if scan.score is None else f"{figures.score(scan.score)} {scan.grade}") + mark


def _report(scan: ScanRecord) -> str:
    return "whole report kept" if scan.has_report else "whole report not kept any more"


def _day(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d}"


def _minute(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def _moved(before: float | None, after: float | None) -> str:
    """`+1.2`: the difference of what is shown, so that the figures add up."""
    if before is None or after is None:
        return ""
    change = round(float(figures.score(after)) - float(figures.score(before)), 1)
    return f"+{change:.1f}" if change > 0 else f"{_MINUS}{-change:.1f}" if change < 0 else "="
