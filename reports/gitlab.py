"""The report for GitLab's Code Quality: an array in a part of Code Climate's format ("Code Quality report format")."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec

from assay.reports.jsontext import json_text
from assay.reports.plain import plain
from assay.reports.selection import open_fails
from assay.scanner.results import JudgedVerdict, ScanResult
from assay.scanner.verdicts import Kind, Severity

_Severity = Literal["info", "minor", "major", "critical", "blocker"]
_SEVERITIES: Mapping[Severity, _Severity] = {
    Severity.CRITICAL: "blocker",
    Severity.HIGH: "critical",
    Severity.MEDIUM: "major",
    Severity.LOW: "minor",
}


class _Lines(msgspec.Struct, frozen=True):
    begin: int


class _Location(msgspec.Struct, frozen=True):
    path: str
    lines: _Lines


class _Issue(msgspec.Struct, frozen=True):
    """What GitLab reads: it passes over every other field."""

    description: str
    check_name: str
    fingerprint: str
    severity: _Severity
    location: _Location


def render(result: ScanResult, with_reviews: bool = False) -> str:
    """The open fails, worst first, and the reviews where they are asked for: an empty array where there are none.

    Paths are relative to the top of the repository. GitLab shows what the target branch's report doesn't have, so the
    job has to run there too.
    """
    reviews = [f for f in result.findings if f.kind is Kind.REVIEW and f.acceptance is None] if with_reviews else []
    return json_text(list(_issues((*open_fails(result), *reviews), result.scanned.prefix)))


def _issues(findings: Iterable[JudgedVerdict], prefix: str) -> Iterator[_Issue]:
    seen: Counter[str] = Counter()
    for finding in findings:
        mark = finding.fingerprint
        seen[mark] += 1
        yield _Issue(
            description=_description(finding),
            check_name=finding.rule,
            # GitLab makes one entry of those that are alike.
            fingerprint=mark if seen[mark] == 1 else _another(mark, seen[mark]),
            severity="info" if finding.kind is Kind.REVIEW else _SEVERITIES[finding.severity],
            location=_Location(prefix + finding.location.path, _Lines(finding.location.line)),
        )


def _description(finding: JudgedVerdict) -> str:
    return plain(" ".join(f"{finding.rule}: {finding.message}".split()))


def _another(mark: str, number: int) -> str:
    return hashlib.sha256(f"{mark}\0{number}".encode()).hexdigest()[: max(len(mark), 32)]
