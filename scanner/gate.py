"""The gate: conditions on a result, each with its value, limit and margin, and one word on all of them.

It never says yes to what was not read: a missing file, a crashed rule or a missing base is neither yes nor no.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cached_property

from pathspec import GitIgnoreSpec

from assay.scanner.config import Config
from assay.scanner.config.gate import (
    GateConfig,
    Mode,
    PathGate,
    RatchetScope,
    ReviewsMode,
    ScoreLimit,
    ServiceGate,
    SeverityLimits,
)
from assay.scanner.counted import counted
from assay.scanner.results import (
    BaseKind,
    Condition,
    GateResult,
    GateStatus,
    JudgedVerdict,
    Outcome,
    RuleInfo,
    ScanResult,
    ServiceResult,
    State,
)
from assay.scanner.verdicts import Kind, Severity

__all__ = ["evaluate"]


def evaluate(result: ScanResult, config: Config, today: date) -> GateResult:
    """Hold the result against `[gate]` of the configuration; `today` decides which announced rules count."""
    conditions = tuple(_Evaluation(result, config, today).all())
    missing = [c for c in conditions if c.outcome is Outcome.NOT_EVALUATED]
    unmet = [c for c in conditions if c.outcome is Outcome.NOT_MET]
    incomplete = _incomplete(result, config.gate)
    status = GateStatus.FAILED if unmet else GateStatus.PASSED
    if incomplete or missing:
        status = GateStatus.UNTRUSTED
    reasons = [*incomplete, *dict.fromkeys(c.note for c in missing), *(_unmet(c) for c in unmet)]
    return GateResult(status, "; ".join(reasons), conditions, config.gate.mode is Mode.ENFORCE)


def _incomplete(result: ScanResult, gate: GateConfig) -> list[str]:
    unread = len({d.path for d in result.diagnostics if d.reason.is_unread_file})
    crashed = sum(d.reason.is_internal_error for d in result.diagnostics)
    reasons = []
    if unread and gate.on_incomplete is Mode.ENFORCE:
        reasons.append(f"{counted(unread, 'file')} could not be read")
    if crashed:
        reasons.append(f"{counted(crashed, 'step')} of the analysis crashed")
    return reasons


def _unmet(condition: Condition) -> str:
    """`new high findings: 1 (API401)`, `overall score: 68.2, must be ≥ 70`."""
    value = "" if condition.value is None else f"{_number(condition.value)}{_unit(condition.unit)}"
    wanted = f", must be {condition.operator} {_number(condition.limit)}" if condition.limit else ""
    note = f" ({condition.note})" if condition.note else ""
    return f"{condition.name}: {value}{wanted}{note}"


def _number(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _unit(unit: str) -> str:
    return f" {unit}" if unit else ""


@dataclass(frozen=True)
class _Evaluation:
    result: ScanResult
    config: Config
    today: date

    def all(self) -> Iterator[Condition]:
        gate = self.config.gate
        yield from self._coverage()
        yield from self._new()
        yield from self._ratchet()
        yield from self._paths()
        yield from self._severities(gate.severities, self.counting, "")
        several = len(self.result.services) > 1
        for service in self.result.services:
            suffix = f" of {service.name}" if several else ""
            yield from self._scores(ServiceGate(gate.overall, gate.sections, gate.principles), service, suffix)
            configured = self.config.services.get(service.name)
            if configured is not None:
                yield from self._scores(configured.gate, service, f" of {service.name}")
                own = [f for f in self.counting if f.service == service.name]
                yield from self._severities(configured.gate.severities, own, f" of {service.name}")
        yield self._waivers()
        yield from self._announced()

    @cached_property
    def rules(self) -> Mapping[str, RuleInfo]:
        return {rule.code: rule for rule in self.result.rules}

    @cached_property
    def counting(self) -> Sequence[JudgedVerdict]:
        """The fails that nobody accepted, of rules that count by now."""
        return [f for f in self._fails(self.result.findings) if f.rule not in self.announced]

    @cached_property
    def announced(self) -> Mapping[str, date]:
        """Rules that begin to count later, with the day."""
        return {code: rule.from_ for code, rule in self.config.gate.rules.items() if rule.from_ > self.today}

    @cached_property
    def new(self) -> Sequence[JudgedVerdict]:
        return [f for f in self.counting if f.state is State.NEW]

    def _fails(self, findings: Iterable[JudgedVerdict]) -> Iterator[JudgedVerdict]:
        for finding in findings:
            rule = self.rules.get(finding.rule)
            if finding.kind is Kind.FAIL and finding.acceptance is None and (rule is None or rule.counts):
                yield finding

    # --- kinds of conditions ------------------------------------------------------------------------------------------

    def _coverage(self) -> Iterator[Condition]:
        minimum = self.config.gate.min_coverage
        if minimum is None:
            return
        for service in self.result.services:
            suffix = f" of {service.name}" if len(self.result.services) > 1 else ""
            yield _at_least(f"coverage{suffix}", 100 * service.coverage, minimum, "%")

    def _new(self) -> Iterator[Condition]:
        limits = self.config.gate.new
        for severity, limit in _limits(limits):
            findings = [f for f in self.new if f.severity is severity and not self._is_counted_by_path(f, severity)]
            yield self._count(f"new {severity} findings", findings, limit, needs_base=True)
        if limits.review is ReviewsMode.FAIL:
            reviews = [
                f
                for f in self.result.findings
                if f.kind is Kind.REVIEW and f.state is State.NEW and f.acceptance is None and self._counts(f)
            ]
            yield self._count("new findings to review", reviews, 0, needs_base=True)

    def _counts(self, finding: JudgedVerdict) -> bool:
        rule = self.rules.get(finding.rule)
        return (rule is None or rule.counts) and finding.rule not in self.announced

    def _is_counted_by_path(self, finding: JudgedVerdict, severity: Severity) -> bool:
        return any(
            getattr(entry.new, severity.value) is not None and spec.match_file(finding.location.path)
            for entry, spec in self._specs
        )

    @cached_property
    def _specs(self) -> list[tuple[PathGate, GitIgnoreSpec]]:
        return [(entry, GitIgnoreSpec.from_lines([entry.path])) for entry in self.config.gate.paths]

    def _paths(self) -> Iterator[Condition]:
        for entry, spec in self._specs:
            inside = [f for f in self.counting if spec.match_file(f.location.path)]
            fresh = [f for f in inside if f.state is State.NEW]
            for severity, limit in _limits(entry.new):
                findings = [f for f in fresh if f.severity is severity]
                yield self._count(f"new {severity} findings in {entry.path}", findings, limit, needs_base=True)
            yield from self._severities(entry.severities, inside, f" in {entry.path}")

    def _severities(
        self, limits: SeverityLimits, findings: Sequence[JudgedVerdict], suffix: str
    ) -> Iterator[Condition]:
        for severity, limit in _limits(limits):
            yield self._count(f"{severity} findings{suffix}", [f for f in findings if f.severity is severity], limit)

    def _ratchet(self) -> Iterator[Condition]:
        """Findings are counted, not percentages: these fall too where code that kept the rules is removed."""
        scope = self.config.gate.ratchet.scope
        if scope is RatchetScope.OFF:
            return
        name = _RATCHET_NAMES[scope]
        base = self.result.base
        if base is None:
            yield Condition(name, Outcome.NOT_EVALUATED, None, "≤", 0, note=_NO_BASE)
            return
        fixed = [f for f in self._fails(base.fixed) if f.rule in self.rules and f.rule not in self.announced]
        group = self._group_of(scope)
        balance = Counter(map(group, self.new))
        balance.subtract(map(group, fixed))
        worse = sorted(key for key, count in balance.items() if count > 0)
        if not worse:
            yield Condition(name, Outcome.MET, 0, "≤", 0)
        for key in worse:
            marks = tuple(f.fingerprint for f in self.new if group(f) == key)
            where = f" in {key}" if key else ""
            yield Condition(f"more fails than before{where}", Outcome.NOT_MET, balance[key], "≤", 0, "", "", marks)

    def _group_of(self, scope: RatchetScope) -> Callable[[JudgedVerdict], str]:
        match scope:
            case RatchetScope.PRINCIPLE:
                return lambda f: self.rules[f.rule].principle
            case RatchetScope.SECTION:
                return lambda f: self.rules[f.rule].section
            case RatchetScope.RULE:
                return lambda f: f.rule
            case _:
                return lambda _: ""

    def _scores(self, gate: ServiceGate, service: ServiceResult, suffix: str) -> Iterator[Condition]:
        base = self.result.base
        old = next((s for s in base.services if s.name == service.name), None) if base else None
        sections, principles = _scores_of(service)
        old_sections, old_principles = _scores_of(old) if old else ({}, {})
        new = [f for f in self.new if f.service == service.name]
        groups = [
            ("overall score", gate.overall, service.score, old.score if old else None, new),
            *(
                (f"score of {key}", limit, sections.get(key), old_sections.get(key), self._in(new, key))
                for key, limit in sorted(gate.sections.items())
            ),
            *(
                (f"score of {key}", limit, principles.get(key), old_principles.get(key), self._in(new, key))
                for key, limit in sorted(gate.principles.items())
            ),
        ]
        for name, limit, value, before, fresh in groups:
            yield from self._score(name + suffix, limit, value, before, fresh)

    def _in(self, findings: Iterable[JudgedVerdict], key: str) -> list[JudgedVerdict]:
        """Those of a section or a principle."""
        rules = ((f, self.rules[f.rule]) for f in findings)
        return [f for f, rule in rules if key in (rule.principle, rule.section)]

    def _score(
        self, name: str, limit: ScoreLimit, value: float | None, before: float | None, new: Sequence[JudgedVerdict]
    ) -> Iterator[Condition]:
        if limit.min is not None:
            yield _at_least(name, value, limit.min, "")
        if limit.max_drop is None:
            return
        drop = f"drop of the {name}"
        base = self.result.base
        if base is None or base.kind is BaseKind.BASELINE:
            note = _NO_BASE if base is None else f"{base.name} holds no scores to compare with; a base commit does"
            yield Condition(drop, Outcome.NOT_EVALUATED, None, "≤", limit.max_drop, "points", note)
        elif value is None or before is None:
            yield Condition(drop, Outcome.NOT_APPLICABLE, None, "≤", limit.max_drop, "points", "there is no score")
        elif not new:
            note = "" if value >= before else "nothing that this change brings fails"
            yield Condition(drop, Outcome.MET, max(0.0, before - value), "≤", limit.max_drop, "points", note)
        else:
            outcome = Outcome.MET if before - value <= limit.max_drop else Outcome.NOT_MET
            marks = tuple(f.fingerprint for f in new)
            yield Condition(drop, outcome, before - value, "≤", limit.max_drop, "points", "", marks)

    def _waivers(self) -> Condition:
        lapsed = {f.lapsed.id: f for f in self.result.findings if f.lapsed is not None and f.acceptance is None}
        told = [
            f"{mark} ({f.rule}, {f.lapsed.owner}, {_ago(f.lapsed.expires, self.today)})"
            for mark, f in sorted(lapsed.items())
            if f.lapsed
        ]
        marks = tuple(f.fingerprint for f in self.result.findings if f.lapsed is not None and f.acceptance is None)
        outcome = Outcome.NOT_MET if lapsed else Outcome.MET
        return Condition("expired waivers", outcome, len(lapsed), "≤", 0, "", ", ".join(told), marks)

    def _announced(self) -> Iterator[Condition]:
        for code, day in sorted(self.announced.items()):
            findings = [f for f in self._fails(self.result.findings) if f.rule == code]
            note = f"counts from {day.isoformat()}"
            marks = tuple(f.fingerprint for f in findings)
            yield Condition(f"{code} findings", Outcome.ANNOUNCED, len(findings), "≤", 0, "", note, marks)

    def _count(
        self, name: str, findings: Sequence[JudgedVerdict], limit: int, *, needs_base: bool = False
    ) -> Condition:
        if needs_base and self.result.base is None:
            return Condition(name, Outcome.NOT_EVALUATED, None, "≤", limit, note=_NO_BASE)
        outcome = Outcome.MET if len(findings) <= limit else Outcome.NOT_MET
        codes = ", ".join(sorted({f.rule for f in findings})) if outcome is Outcome.NOT_MET else ""
        return Condition(name, outcome, len(findings), "≤", limit, "", codes, tuple(f.fingerprint for f in findings))


_NO_BASE = "there is nothing to compare with: no base commit and no baseline"
_RATCHET_NAMES = {
    RatchetScope.OVERALL: "fails, fewer the fixed ones",
    RatchetScope.SECTION: "sections with more fails than before",
    RatchetScope.PRINCIPLE: "principles with more fails than before",
    RatchetScope.RULE: "rules with more fails than before",
}


def _limits(limits: SeverityLimits) -> Iterator[tuple[Severity, int]]:
    for severity in Severity:
        limit: int | str | None = getattr(limits, severity.value)
        if isinstance(limit, int):
            yield severity, limit


def _at_least(name: str, value: float | None, limit: float, unit: str) -> Condition:
    if value is None:
        return Condition(name, Outcome.NOT_APPLICABLE, None, "≥", limit, unit, "there is nothing to judge")
    return Condition(name, Outcome.MET if value >= limit else Outcome.NOT_MET, value, "≥", limit, unit)


def _scores_of(service: ServiceResult) -> tuple[dict[str, float | None], dict[str, float | None]]:
    """Of its sections and of its principles, by id."""
    principles = {p.id: p.score for section in service.sections for p in section.principles}
    return {section.id: section.score for section in service.sections}, principles


def _ago(day: str, today: date) -> str:
    days = (today - date.fromisoformat(day)).days
    return f"expired {counted(days, 'day')} ago"
