"""A service's whole history as a script that a page may load: one that was opened from disk can't ask for data.

Places in time are numbers of scans, the oldest being 0. What holds from one scan to another is told once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TypeVar

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.plain import plain
from assay.scanner.history.records import (
    Course,
    FindingRecord,
    Period,
    PrincipleRecord,
    RuleRecord,
    ScanRecord,
    SectionRecord,
    ServiceRecord,
)
from assay.scanner.results import Execution
from assay.scanner.verdicts import Kind, Severity

__all__ = ["script"]

_Record = TypeVar("_Record")
_Span = list[object]
"""The first and the last scan, and what held in all of them."""
_SHORT = 10
_SEVERITIES = tuple(Severity)


def script(service: ServiceRecord, course: Course) -> str:
    """Puts it under the service's name into `assay`, a variable of the page."""
    places = {scan.at: place for place, scan in enumerate(course.scans)}
    told = {
        "scans": [_scan(scan) for scan in course.scans],
        "sections": _spans(course.sections, _section, places),
        "principles": _spans(course.principles, _principle, places),
        "rules": _spans(course.rules, _rule, places),
        "findings": [_finding(periods, places) for periods in course.findings if periods[0].value.kind is Kind.FAIL],
    }
    text = json.dumps(told, separators=(",", ":"), allow_nan=False)
    return f"(globalThis.assay ??= {{}})[{json.dumps(addresses.name(service))}] = {text};\n"


def _scan(scan: ScanRecord) -> list[object]:
    return [
        f"{scan.at:%Y-%m-%dT%H:%M:%S}",
        plain(scan.commit[:_SHORT]) if scan.commit else "",
        _shown(scan.score),
        plain(scan.grade),
        _shown(scan.coverage * 100),
        [scan.fails.get(severity, 0) for severity in _SEVERITIES],
        plain(scan.edition),
        plain(scan.configuration),
        int(scan.execution is Execution.COMPLETE),
    ]


def _spans(
    known: Mapping[str, Sequence[Period[_Record]]],
    values: Callable[[_Record], list[object]],
    places: Mapping[datetime, int],
) -> dict[str, list[_Span]]:
    return {
        plain(key): [[*_span(period, places), *values(period.value)] for period in periods]
        for key, periods in known.items()
    }


def _span(period: Period[_Record], places: Mapping[datetime, int]) -> tuple[int, int]:
    return places[period.first], len(places) - 1 if period.last is None else places[period.last]


def _section(section: SectionRecord) -> list[object]:
    return [_shown(section.score)]


def _principle(principle: PrincipleRecord) -> list[object]:
    return [_shown(principle.score), principle.passed, principle.failed]


def _rule(rule: RuleRecord) -> list[object]:
    return [rule.counts.passed, rule.counts.failed]


def _finding(periods: Sequence[Period[FindingRecord]], places: Mapping[datetime, int]) -> list[object]:
    """As it was last; then from which scan to which, and whether it was accepted."""
    finding = periods[-1].value
    spans = [[*_span(period, places), int(period.value.acceptance is not None)] for period in periods]
    place = f"{plain(finding.path)}:{finding.line}"
    rank = _SEVERITIES.index(finding.severity)
    return [plain(finding.rule), rank, plain(finding.subject.label), place, *spans]


def _shown(score: float | None) -> float | None:
    """As all pages show it, so that a comparison says the same as they do."""
    return None if score is None else float(figures.score(score))
