"""The gate on the overview: every condition with its margin, and what will count from a date on."""

from __future__ import annotations

from collections.abc import Iterable

from assay.reports import figures
from assay.reports.html import addresses
from assay.reports.html.views import ConditionView, Mark
from assay.reports.plain import plain
from assay.scanner.results import Condition, GateResult, Outcome, ScanResult

__all__ = ["coming", "others", "unmet"]

SHOWN = 3
"""Findings of a condition that are named."""

_MARKS = {
    Outcome.MET: Mark("pass", "✓", "met"),
    Outcome.NOT_MET: Mark("fail", "✗", "not met"),
    Outcome.NOT_EVALUATED: Mark("fail", "✗", "not evaluated"),
    Outcome.NOT_APPLICABLE: Mark("notApplicable", "–", "not applicable"),
    Outcome.ANNOUNCED: Mark("review", "!", "announced"),
}
_RED = (Outcome.NOT_MET, Outcome.NOT_EVALUATED)


def unmet(gate: GateResult | None) -> tuple[ConditionView, ...]:
    """What keeps the gate from passing."""
    return tuple(_view(c) for c in _conditions(gate) if c.outcome in _RED)


def others(gate: GateResult | None) -> tuple[ConditionView, ...]:
    """The conditions that are met, or have nothing to measure."""
    return tuple(_view(c) for c in _conditions(gate) if c.outcome not in (*_RED, Outcome.ANNOUNCED))


def coming(result: ScanResult) -> tuple[str, ...]:
    """What will count later: announced conditions, and rules of a newer edition that found something."""
    announced = [_announced(c) for c in _conditions(result.gate) if c.outcome is Outcome.ANNOUNCED and c.value]
    previews = {rule.code: rule for rule in result.rules if rule.is_preview}
    found = [f for f in result.findings if f.rule in previews and f.acceptance is None]
    for code in sorted({finding.rule for finding in found}):
        number = figures.count(sum(f.rule == code for f in found), "finding")
        announced.append(f"{plain(code)}: {number}, counts from edition {plain(previews[code].since)} on")
    return tuple(announced)


def _conditions(gate: GateResult | None) -> Iterable[Condition]:
    return gate.conditions if gate else ()


def _announced(condition: Condition) -> str:
    number = figures.count(int(condition.value or 0), "finding")
    return f"{plain(condition.name.split()[0])}: {number}, {plain(condition.note)}"


def _view(condition: Condition) -> ConditionView:
    margin = condition.margin
    has_margin = margin is not None and condition.outcome is not Outcome.NOT_APPLICABLE
    return ConditionView(
        mark=_MARKS[condition.outcome],
        name=plain(condition.name),
        value=figures.NOTHING if condition.value is None else figures.measure(condition.value, condition.unit),
        limit=f"{condition.operator} {figures.measure(condition.limit, condition.unit)}",
        margin=f"{margin:+,.1f}".removesuffix(".0").replace("-", "\N{MINUS SIGN}") if has_margin else "",
        note=plain(condition.note),
        findings=tuple(plain(mark[: addresses.SHOWN_FINGERPRINT]) for mark in condition.fingerprints[:SHOWN]),
        more=max(0, len(condition.fingerprints) - SHOWN),
    )
