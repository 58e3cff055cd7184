"""The findings as a table for spreadsheets (RFC 4180), in which no cell is a formula."""

from __future__ import annotations

import csv
import io

from assay.reports.plain import plain
from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult
from assay.scanner.verdicts import Kind

_STARTS_A_FORMULA = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""OWASP, CSV Injection; tabs and line ends, which it names too, are no white space any more once they are plain."""

COLUMNS = (
    *("service", "principle", "rule", "name", "severity", "kind", "state", "counts", "path", "line", "column"),
    *("subject", "message", "fix", "accepted by", "reason", "owner", "ticket", "expires", "fingerprint"),
)


def render(result: ScanResult) -> str:
    """A heading, and a row for each finding by path and line, the accepted ones too.

    "counts" is whether it counts in scores and at the gate.
    """
    rules = {rule.code: rule for rule in result.rules}
    written = io.StringIO()
    table = csv.writer(written, lineterminator="\n")
    table.writerow(COLUMNS)
    for verdict in result.verdicts:
        if verdict.is_finding:
            table.writerow(_cell(value) for value in _row(verdict, rules[verdict.rule]))
    return written.getvalue()


def _row(finding: JudgedVerdict, rule: RuleInfo) -> tuple[str | int, ...]:
    place, acceptance = finding.location, finding.acceptance
    counts = "yes" if rule.counts and acceptance is None and finding.kind is Kind.FAIL else "no"
    return (
        *(finding.service, rule.principle, rule.code, rule.name, finding.severity, finding.kind, finding.state or ""),
        *(counts, place.path, place.line, place.column, finding.subject.label, finding.message, rule.fix),
        *((acceptance.by, acceptance.reason, acceptance.owner, acceptance.ticket) if acceptance else [""] * 4),
        *(acceptance.expires if acceptance else "", finding.fingerprint),
    )


def _cell(value: str | int) -> str | int:
    if isinstance(value, int):
        return value
    text = plain(" ".join(value.split()))
    return f"'{text}" if text.startswith(_STARTS_A_FORMULA) else text
