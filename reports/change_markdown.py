"""What a change does to the standard, in the pieces of a comment and of a job's summary (GitHub Markdown)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from assay.reports import figures, selection
from assay.reports.blocks import Block
from assay.reports.markdown import code, quiet
from assay.reports.remedies import REMEDIES
from assay.scanner.results import (
    AcceptedBy,
    Base,
    Condition,
    GateStatus,
    JudgedVerdict,
    Outcome,
    RuleInfo,
    ScanResult,
    ServiceResult,
    State,
)
from assay.scanner.verdicts import Kind

SHOWN_FINGERPRINT = 12
_UNMET = (Outcome.NOT_MET, Outcome.NOT_EVALUATED)
_TITLE, _NAME, _TEXT, _REASON = 80, 120, 300, 600
"""Characters of a text of the tree that are shown."""
_UNFOLDED = 10
"""Findings of a list that are seen at once."""
_MOST = 1_000
"""Findings of a list, in any case: a hundred characters of each fill the longest text."""
_SIGNS = {
    Outcome.MET: "✓",
    Outcome.NOT_MET: "✗",
    Outcome.NOT_EVALUATED: "✗",
    Outcome.NOT_APPLICABLE: "–",
    Outcome.ANNOUNCED: "!",
}


def headline(result: ScanResult) -> Block:
    """The gate's word and its reason; without a gate, how much there is to do."""
    gate = result.gate
    change = f"{len(new_fails(result)):,} new, {len(fixed_fails(result)):,} fixed; " if result.base else ""
    if gate is None:
        return Block(f"### Backend standard: {change}{figures.count(len(selection.open_fails(result)), 'open fail')}")
    reason = quiet(gate.reason, _REASON)
    match gate.status:
        case GateStatus.PASSED:
            met = sum(c.outcome is Outcome.MET for c in gate.conditions)
            return Block(f"### ✓ Backend standard: {change}{figures.count(met, 'condition')} met")
        case GateStatus.UNTRUSTED:
            return Block(f"### ✗ Backend standard: not a pass\n\n{reason}")
        case GateStatus.FAILED if gate.is_enforced:
            return Block(f"### ✗ Backend standard: gate failed\n\n{reason}")
        case GateStatus.FAILED:
            return Block(f"### ! Backend standard: the gate would fail, and only warns\n\n{reason}")


def scores(result: ScanResult) -> Block:
    """Base, this change and limit: of every service, of principles that moved, and of what the gate holds against it.

    Without a base's scores there is no such column.
    """
    before = {service.name: service for service in result.base.services} if result.base else {}
    limits = _Limits(result)
    rows: list[tuple[str, str, str, str]] = []
    for service in result.services:
        rows += _score_rows(service, before.get(service.name), limits, several=len(result.services) > 1)
    rows += [("✗ " + quiet(c.name, _NAME), "", f"**{_value(c)}**", _limit(c)) for c in limits.unmet]
    if before:
        table = [f"| {name} | {old} | {new} | {limit} |" for name, old, new, limit in rows]
        return Block(
            "| | base | this change | limit |\n|---|--:|--:|--:|", tuple(table), more="| … and {} more | | | |"
        )
    table = [f"| {name} | {new} | {limit} |" for name, _, new, limit in rows]
    return Block("| | value | limit |\n|---|--:|--:|", tuple(table), more="| … and {} more | | |")


class _Limits:
    """The gate's conditions by name, of which each is shown once."""

    def __init__(self, result: ScanResult) -> None:
        self._left = list(_conditions(result))

    def of(self, name: str) -> str:
        """How low it may be, and how far it may fall; `✗` where that isn't kept."""
        words = {name: "", f"drop of the {name}": "drop "}
        found = [condition for condition in self._left if condition.name in words]
        self._left = [condition for condition in self._left if condition.name not in words]
        signs = {condition: "✗ " if condition.outcome in _UNMET else "" for condition in found}
        return ", ".join(f"{signs[c]}{words[c.name]}{_limit(c)}" for c in found)

    @property
    def unmet(self) -> list[Condition]:
        """Those that are not met and not yet shown."""
        return [condition for condition in self._left if condition.outcome in _UNMET]


def _score_rows(
    service: ServiceResult, before: ServiceResult | None, limits: _Limits, *, several: bool
) -> Iterator[tuple[str, str, str, str]]:
    suffix = f" of {service.name}" if several else ""
    name = f"Overall, {quiet(service.name, _NAME)}" if several else "Overall"
    grade = quiet(service.grade, _TITLE)
    shown = grade if service.score is None else f"{_moved(before, service)}, {grade}"
    shown += f", {figures.percent(service.coverage)} judged"
    yield name, figures.score(before.score if before else None), shown, limits.of(f"overall score{suffix}")
    old = {p.id: p.score for section in before.sections for p in section.principles} if before else {}
    moved = []
    for principle in (p for section in service.sections for p in section.principles):
        limit = limits.of(f"score of {principle.id}{suffix}")
        earlier = old.get(principle.id)
        change = 0.0 if principle.score is None or earlier is None else principle.score - earlier
        if limit or figures.score(principle.score) != figures.score(earlier if before else principle.score):
            title = f"{principle.id} {quiet(principle.title, _TITLE)}" + (f", {quiet(service.name)}" if several else "")
            moved.append((change, (title, figures.score(earlier), _score(earlier, principle.score), limit)))
    yield from (row for _, row in sorted(moved, key=lambda entry: entry[0]))


def _moved(before: ServiceResult | None, after: ServiceResult) -> str:
    return _score(before.score if before else None, after.score)


def _score(before: float | None, after: float | None) -> str:
    """`78.4 (+0.1)`; bold where it fell."""
    change = "" if before is None or after is None else f"{after - before:+.1f}"
    if change in ("", "+0.0", "-0.0"):
        return figures.score(after)
    shown = f"{figures.score(after)} ({change})"
    return f"**{shown}**" if change.startswith("-") else shown


def new_fails(result: ScanResult) -> tuple[JudgedVerdict, ...]:
    """The open fails that weren't there in the base."""
    return tuple(f for f in selection.open_fails(result) if f.state is State.NEW)


def fixed_fails(result: ScanResult) -> tuple[JudgedVerdict, ...]:
    """The base's fails that are gone."""
    counting = result.counting
    return tuple(f for f in result.base.fixed if f.kind is Kind.FAIL and f.rule in counting) if result.base else ()


def to_mend(result: ScanResult) -> Iterator[Block]:
    """What is new, what the gate holds against the tree besides, or the worst of all where nothing is compared."""
    chosen = selection.to_mend(result)
    if result.base is None:
        yield from _findings("Open, the worst first", chosen, result)
        return
    yield from _findings("New", [f for f in chosen if f.state is State.NEW], result)
    yield from _findings(
        "Not new, and held against it by the gate", [f for f in chosen if f.state is not State.NEW], result
    )


def fixed(result: ScanResult) -> Iterator[Block]:
    """Thanks for what is mended."""
    gone = fixed_fails(result)
    if gone:
        codes = ", ".join(f"{code_} ({number:,})" for code_, number in sorted(Counter(f.rule for f in gone).items()))
        yield Block(f"**Fixed: {len(gone):,}** ✓ {quiet(codes, _TEXT)}")


def to_review(result: ScanResult) -> Iterator[Block]:
    """Questions that only a person can answer; the new ones where something is compared."""
    counting = result.counting
    asked = [
        f
        for f in result.findings
        if f.kind is Kind.REVIEW and f.acceptance is None and f.rule in counting
        if result.base is None or f.state is State.NEW
    ]
    yield from _findings("To review" if result.base is None else "New, to review", asked, result)


def _findings(title: str, findings: Sequence[JudgedVerdict], result: ScanResult) -> Iterator[Block]:
    rules = {rule.code: rule for rule in result.rules}
    entries = tuple(_finding(finding, rules[finding.rule], result) for finding in findings[:_MOST])
    if entries:
        yield Block(f"**{title}: {len(findings):,}**\n", entries[:_UNFOLDED])
    if entries[_UNFOLDED:]:
        head = f"<details><summary>{len(findings) - _UNFOLDED:,} more</summary>\n"
        beyond = len(findings) - len(entries)
        yield Block(head, entries[_UNFOLDED:], "\n</details>", beyond=beyond)


def _finding(finding: JudgedVerdict, rule: RuleInfo, result: ScanResult) -> str:
    place = f"{result.scanned.prefix}{finding.location.path}:{finding.location.line}"
    lapsed = f"<br>waiver expired: {quiet(str(finding.lapsed), _TEXT)}" if finding.lapsed else ""
    return (
        f"- {code(place, _TEXT)} **{quiet(rule.code)}** {finding.severity}: {quiet(finding.message, _TEXT)}"
        f"<br>Fix: {quiet(rule.fix, _TEXT)} {code(finding.fingerprint[:SHOWN_FINGERPRINT])}{lapsed}"
    )


def unread(result: ScanResult) -> Iterator[Block]:
    """What is missing from all this."""
    grave = selection.grave(result.diagnostics)
    entries = []
    for diagnostic in grave:
        line = "" if diagnostic.line is None else f":{diagnostic.line}"
        reason = diagnostic.reason.value.replace("-", " ")
        place = code(f"{result.scanned.prefix}{diagnostic.path}{line}", _TEXT)
        entries.append(
            f"- {place} {reason}: {quiet(diagnostic.message, _TEXT)}<br>{quiet(REMEDIES[diagnostic.reason])}"
        )
    if entries:
        yield Block(f"**Not read or not judged: {len(entries):,}**\n", tuple(entries))


def coming(result: ScanResult) -> Iterator[Block]:
    """Rules that will count."""
    announced = [c for c in _conditions(result) if c.outcome is Outcome.ANNOUNCED and c.value]
    if announced:
        entries = (f"- {quiet(c.name, _NAME)}: {_value(c)}, {quiet(c.note, _TEXT)}" for c in announced)
        yield Block("**Coming**\n", tuple(entries))


def accepted(result: ScanResult) -> Iterator[Block]:
    """How many findings somebody said may stay, and what of it would be new."""
    counts = Counter(f.acceptance.by for f in result.findings if f.acceptance)
    words = ((AcceptedBy.WAIVER, "by waivers"), (AcceptedBy.IGNORE, "by comments in the code"))
    told = [f"{counts[by]:,} {word}" for by, word in words if counts[by]]
    if told:
        new = [f for f in result.findings if f.acceptance and f.state is State.NEW and result.rule(f.rule).counts]
        rows = tuple(
            f"- new: {quiet(f.rule)} {f.severity} in {code(f'{f.location.path}:{f.location.line}')}, "
            f"{quiet(str(f.acceptance), _TEXT)}"
            for f in new
        )
        yield Block(f"**Accepted: {sum(counts.values()):,}** ({', '.join(told)})" + "\n" * bool(rows), rows)


def notices(result: ScanResult) -> Iterator[Block]:
    """What a person should know."""
    if result.notices:
        yield Block("**Note**\n", tuple(f"- {quiet(notice, _TEXT)}" for notice in result.notices))


def conditions(result: ScanResult) -> Iterator[Block]:
    """All of the gate's conditions, folded."""
    rows = tuple(
        f"| {_SIGNS[c.outcome]} {quiet(c.name, _NAME)} | {_value(c)} | {_limit(c)} | {quiet(c.note, _TEXT)} |"
        for c in _conditions(result)
    )
    if rows:
        head = f"<details><summary>All conditions ({len(rows):,})</summary>\n\n| | value | limit | |\n|---|--:|--:|---|"
        yield Block(head, rows, "\n</details>", "| … and {} more | | | |")


def footer(result: ScanResult) -> Block:
    """By what it was judged and what was compared."""
    scanned = result.scanned
    parts = [f"edition {quiet(result.edition)}", f"Assay {quiet(result.tool_version)}"]
    parts += [f"commit {code(scanned.commit[:SHOWN_FINGERPRINT])}"] if scanned.commit else []
    parts += [f"compared with {_base(result.base)}"] if result.base else []
    parts += [figures.count(scanned.files, "file"), "all of a rule: `assay explain CODE`"]
    return Block(f"<sub>{' · '.join(parts)}</sub>")


def _base(base: Base) -> str:
    commit = f" {code(base.commit[:SHOWN_FINGERPRINT])}" if base.commit else ""
    return f"{quiet(base.name, _NAME)}{commit}"


def _conditions(result: ScanResult) -> tuple[Condition, ...]:
    return result.gate.conditions if result.gate else ()


def _value(condition: Condition) -> str:
    return figures.NOTHING if condition.value is None else figures.measure(condition.value, condition.unit)


def _limit(condition: Condition) -> str:
    return f"{condition.operator} {figures.measure(condition.limit, condition.unit)}"
