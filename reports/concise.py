"""A line for each finding, as compilers write them: for editors, for `grep`, for coding agents.

`app/api/orders.py:42:5: API401 high new GET /orders returns every Order [f3a9c1d2e8b7]`
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.reports import selection
from assay.reports.plain import plain
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult
from assay.scanner.verdicts import Kind

SHOWN_FINGERPRINT = 12


def render(result: ScanResult) -> str:
    """By path and line; files that weren't read are among them, as nothing is known of those."""
    rules = {rule.code: rule for rule in result.rules}
    lines = [(f.location.path, f.location.line, 1, _finding(f, rules[f.rule])) for f in result.verdicts if f.is_finding]
    lines += [(d.path, d.line or 1, 0, _diagnostic(d)) for d in selection.grave(result.diagnostics)]
    return "".join(f"{line}\n" for *_, line in sorted(lines, key=lambda entry: entry[:3]))


def _finding(finding: JudgedVerdict, rule: RuleInfo) -> str:
    place, mark = _place(str(finding.location)), plain(finding.fingerprint[:SHOWN_FINGERPRINT])
    return f"{place}: {plain(finding.rule)} {' '.join(_words(finding, rule))} {plain(finding.message)} [{mark}]"


def _words(finding: JudgedVerdict, rule: RuleInfo) -> Iterator[str]:
    yield finding.severity
    if finding.kind is Kind.REVIEW:
        yield "review"
    if finding.state is not None:
        yield finding.state
    if finding.acceptance is not None:
        yield "accepted"
    if not rule.counts:
        yield "advisory" if rule.advisory else "preview"


def _diagnostic(diagnostic: Diagnostic) -> str:
    verb = "not read" if diagnostic.reason.is_unread_file else "not judged"
    place = _place(f"{diagnostic.path}:{diagnostic.line or 1}:1")
    return f"{place}: {verb}, {diagnostic.reason.value.replace('-', ' ')}: {plain(diagnostic.message)}"


def _place(place: str) -> str:
    """A line that begins with a colon could be a command to a CI runner; a path is the same with `./` before it."""
    return plain(f"./{place}" if place.lstrip().startswith(":") else place)
