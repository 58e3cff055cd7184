"""The report for GitLab's Code Quality: an array in a part of Code Climate's format ("Code Quality report format")."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

import msgspec
from msgspec import structs

from assay.reports.jsontext import json_text
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.selection import grave, open_fails
from assay.scanner.diagnostics import Diagnostic
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
    """What was not read or not judged, the open fails, worst first, and the reviews where they are asked for.

    An empty array where there is nothing. Paths are relative to the top of the repository. GitLab shows what the target
    branch's report doesn't have, so the job has to run there too.
    """
    prefix = result.scanned.prefix
    reviews = [f for f in result.findings if f.kind is Kind.REVIEW and f.acceptance is None] if with_reviews else []
    issues = [
        *(_of_diagnostic(diagnostic, prefix) for diagnostic in grave(result.diagnostics)),
        *(_of_finding(finding, prefix) for finding in (*open_fails(result), *reviews)),
    ]
    return json_text(list(_told_apart(issues)))


def _of_finding(finding: JudgedVerdict, prefix: str) -> _Issue:
    return _Issue(
        _line(f"{finding.rule}: {finding.message}"),
        finding.rule,
        finding.fingerprint,
        "info" if finding.kind is Kind.REVIEW else _SEVERITIES[finding.severity],
        _Location(prefix + finding.location.path, _Lines(finding.location.line)),
    )


def _of_diagnostic(diagnostic: Diagnostic, prefix: str) -> _Issue:
    """An empty list would be praise for what nobody looked at."""
    said = "not read" if diagnostic.reason.is_unread_file else "not judged"
    return _Issue(
        _line(f"{said}: {diagnostic.message}; {REMEDIES[diagnostic.reason]}"),
        diagnostic.reason,
        _digest(diagnostic.reason, diagnostic.path, diagnostic.message),
        "critical",
        _Location(prefix + diagnostic.path, _Lines(diagnostic.line or 1)),
    )


def _told_apart(issues: Iterable[_Issue]) -> Iterator[_Issue]:
    """GitLab makes one entry of those with one fingerprint."""
    seen: Counter[str] = Counter()
    for issue in issues:
        mark = issue.fingerprint
        seen[mark] += 1
        yield issue if seen[mark] == 1 else structs.replace(issue, fingerprint=_digest(mark, str(seen[mark])))


def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]


def _line(text: str) -> str:
    return plain(" ".join(text.split()))
