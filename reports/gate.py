"""The gate on a terminal: every condition with its margin, what is red with the next step, and the reason last."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.screen import Screen
from assay.scanner.results import (
    Base,
    BaseKind,
    Condition,
    GateResult,
    GateStatus,
    JudgedVerdict,
    Outcome,
    ScanResult,
    State,
)
from assay.scanner.verdicts import Kind

SHOWN = 10
"""Findings and unread files that are told in full."""

_SIGNS = {
    Outcome.MET: ("✓", "green"),
    Outcome.NOT_MET: ("✗", "bold red"),
    Outcome.NOT_EVALUATED: ("✗", "bold red"),
    Outcome.NOT_APPLICABLE: ("–", "dim"),
    Outcome.ANNOUNCED: ("!", "yellow"),
}


def render(result: ScanResult, console: Console, authors: Mapping[str, str]) -> None:
    """Write it. `authors` tells by fingerprint who wrote the line of a finding, where that is known."""
    gate = result.gate
    assert gate is not None
    screen = Screen(console)
    if gate.status is GateStatus.PASSED:
        _coming(gate, screen)
        _accepted(result, screen)
        _notices(result, screen)
        screen.line(("✓ ", "green"), (_passed(result, gate), "bold"))
        return
    _table(gate, screen)
    findings = red(result)
    if findings:
        screen.line(_heading(result), style="bold")
        for finding in findings[:SHOWN]:
            _finding(finding, result, authors, screen)
        if len(findings) > SHOWN:
            more = len(findings) - SHOWN
            screen.line(f"… {more:,} more in a report: assay gate --report html=report.html", indent=2)
        screen.line()
    _unread(result, screen)
    _accepted(result, screen)
    _notices(result, screen)
    screen.line(("✗ ", "bold red"), (f"{verdict(gate)}: {plain(gate.reason)}", "bold"))


def verdict(gate: GateResult) -> str:
    """The gate's word as a heading."""
    match gate.status:
        case GateStatus.PASSED:
            return "Gate passed"
        case GateStatus.FAILED:
            return "Gate failed" if gate.is_enforced else "Gate would fail (it only warns)"
        case GateStatus.UNTRUSTED:
            return "Not a pass"


def _table(gate: GateResult, screen: Screen) -> None:
    rows = []
    for condition in gate.conditions:
        sign, style = _SIGNS[condition.outcome]
        value = figures.NOTHING if condition.value is None else figures.measure(condition.value, condition.unit)
        limit = f"{condition.operator} {figures.measure(condition.limit, condition.unit)}"
        name = (f"{sign} {plain(condition.name)}", style if condition.outcome is not Outcome.MET else "")
        rows.append((name, value, limit, _margin(condition), (plain(condition.note), "dim")))
    screen.table([("Condition", False), ("value", True), ("limit", True), ("margin", True), ("", False)], rows)
    screen.line()


def _margin(condition: Condition) -> str:
    if condition.margin is None or condition.outcome in (Outcome.ANNOUNCED, Outcome.NOT_APPLICABLE):
        return ""
    return f"{condition.margin:+,.1f}".removesuffix(".0")


def red(result: ScanResult) -> list[JudgedVerdict]:
    """The findings that unmet conditions count: the new ones first, each group worst first."""
    conditions = result.gate.conditions if result.gate else ()
    marks = {mark for c in conditions if c.outcome is Outcome.NOT_MET for mark in c.fingerprints}
    return sorted((f for f in result.findings if f.fingerprint in marks), key=lambda f: f.state is not State.NEW)


def _heading(result: ScanResult) -> str:
    base = result.base
    return f"What is red (compared with {compared_with(base)})" if base else "What is red"


def compared_with(base: Base) -> str:
    """`8f31c2a, merge base of origin/main`."""
    if base.kind is BaseKind.BASELINE:
        return f"the baseline {plain(base.name)}"
    return f"{(base.commit or '')[:7]}, {plain(base.name)}"


def _finding(finding: JudgedVerdict, result: ScanResult, authors: Mapping[str, str], screen: Screen) -> None:
    rule = result.rule(finding.rule)
    state = f"  {finding.state}" if finding.state else ""
    screen.line(
        (f"{plain(finding.location.path)}:{finding.location.line}", "bold"),
        f"  {plain(finding.rule)} {finding.severity}{state}  {plain(finding.message)}",
        indent=2,
    )
    if finding.lapsed is not None:
        waiver = f"waiver {finding.lapsed.id} ended on {finding.lapsed.expires}: {finding.lapsed.reason}"
        screen.line(f"who: {plain(finding.lapsed.owner)}, whose {plain(waiver)}", indent=6)
    elif finding.fingerprint in authors:
        screen.line(f"who: {plain(authors[finding.fingerprint])}", indent=6)
    for evidence in finding.evidence[:2]:
        place = f"{plain(evidence.location.path)}:{evidence.location.line}"
        screen.line((f"why: {place}  ", ""), plain(evidence.text), indent=6)
    screen.line(("fix: ", "green"), f"{plain(rule.fix)} (assay explain {plain(finding.rule)})", indent=6)
    todo = f"assay waive {finding.fingerprint} --reason … --owner … --expires …"
    screen.line((f"not now: {todo}", "dim"), indent=6)


def _unread(result: ScanResult, screen: Screen) -> None:
    grave = [d for d in result.diagnostics if d.reason.is_grave]
    if not grave:
        return
    screen.line("What could not be read or judged", style="bold")
    for diagnostic in grave[:SHOWN]:
        line = "" if diagnostic.line is None else f":{diagnostic.line}"
        reason = diagnostic.reason.value.replace("-", " ")
        screen.line((f"{plain(diagnostic.path)}{line}", "bold"), f"  {reason}: {plain(diagnostic.message)}", indent=2)
        screen.line((REMEDIES[diagnostic.reason], "dim"), indent=6)
    if len(grave) > SHOWN:
        screen.line(f"… {len(grave) - SHOWN:,} more: assay doctor", indent=2)
    screen.line("What was found is real; nothing is said of what is missing.", indent=2)
    screen.line()


def _accepted(result: ScanResult, screen: Screen) -> None:
    """What would be new, and somebody lets pass: a reviewer should see by whose word."""
    passed = [
        f for f in result.findings if f.state is State.NEW and f.acceptance is not None and result.rule(f.rule).counts
    ]
    for finding in passed[:SHOWN]:
        place = f"{finding.location.path}:{finding.location.line}"
        told = f"{place}  {finding.rule} {finding.severity}  {finding.acceptance}"
        screen.line(("~ ", "yellow"), f"new and accepted: {plain(told)}")
    if len(passed) > SHOWN:
        screen.line(("~ ", "yellow"), f"… {len(passed) - SHOWN:,} more that are new and accepted, in every report")


def _notices(result: ScanResult, screen: Screen) -> None:
    for notice in result.notices:
        screen.line(("! ", "yellow"), plain(notice))


def _coming(gate: GateResult, screen: Screen) -> None:
    for condition in gate.conditions:
        if condition.outcome is Outcome.ANNOUNCED and condition.value:
            count = figures.count(int(condition.value), "finding")
            code = condition.name.split()[0]
            screen.line(("! ", "yellow"), f"{plain(code)}: {count}, {plain(condition.note)}")


def _passed(result: ScanResult, gate: GateResult) -> str:
    """`Gate passed: 14 of 14 conditions; score 78.4 (+0.3); 0 new, 2 fixed (API401, OPS303)`."""
    judged = [c for c in gate.conditions if c.outcome in (Outcome.MET, Outcome.NOT_MET)]
    parts = [f"Gate passed: {len(judged)} of {len(judged)} conditions"]
    scores = [_score(result, service.name, service.score) for service in result.services]
    if scores:
        parts.append("score " + ", ".join(scores))
    base = result.base
    if base is not None:
        counting = result.counting
        new = sum(f.state is State.NEW and f.kind is Kind.FAIL and f.acceptance is None for f in result.findings)
        fixed = [f.rule for f in base.fixed if f.kind is Kind.FAIL and f.rule in counting]
        codes = f" ({', '.join(sorted(set(fixed)))})" if fixed else ""
        parts.append(f"{new:,} new, {len(fixed):,} fixed{codes} since {compared_with(base)}")
    accepted = sum(f.acceptance is not None for f in result.findings)
    if accepted:
        parts.append(f"{accepted:,} accepted")
    return "; ".join(parts)


def _score(result: ScanResult, name: str, score: float | None) -> str:
    old = next((s.score for s in result.base.services if s.name == name), None) if result.base else None
    moved = f" ({score - old:+.1f})" if score is not None and old is not None else ""
    several = f"{plain(name)} " if len(result.services) > 1 else ""
    return f"{several}{figures.score(score)}{moved}"
