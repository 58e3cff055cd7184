"""The JUnit report: every verdict is a test case, so that what passes is on record too.

There is no standard. This is what `junit-10.xsd` of Jenkins' xUnit plugin takes, and what GitLab reads ("Unit test
reports"): `classname`, `name`, and the text of `failure`, `error` and `skipped`.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from xml.etree import ElementTree as ET

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.selection import grave
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    Attestation,
    Condition,
    GateResult,
    JudgedVerdict,
    Outcome,
    RuleInfo,
    ScanResult,
)
from assay.scanner.verdicts import Kind

_FORBIDDEN = re.compile("[\ufffe\uffff]")
"""What XML 1.0 §2.2 forbids and `plain` lets be."""
_NO_TIME = "0"
"""Times would make two reports of one tree differ; readers want the attribute."""


@dataclass(frozen=True, slots=True)
class _Case:
    """A test case. `outcome` is the element in it: failure, error, skipped; none where it passed. `lines` say more."""

    classname: str
    name: str
    outcome: str = ""
    type: str = ""
    message: str = ""
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Suite:
    name: str
    cases: tuple[_Case, ...]


def render(result: ScanResult) -> str:
    """A suite for each principle of each service, one for the gate, and one for what couldn't be read or judged.

    A name holds no line number: platforms tell a new failure from an old one by it.
    """
    root = ET.Element("testsuites", {"name": "assay"})
    suites = [suite for suite in _suites(result) if suite.cases]
    counts: Counter[str] = Counter()
    names: Counter[tuple[str, str]] = Counter()
    for suite in suites:
        outcomes = Counter(case.outcome for case in suite.cases)
        counts += outcomes
        element = ET.SubElement(
            root, "testsuite", {"name": _text(suite.name), **_totals(outcomes), "skipped": str(outcomes["skipped"])}
        )
        for case in suite.cases:
            _add(element, case, names)
    root.attrib |= _totals(counts)
    ET.indent(root)
    body = ET.tostring(root, encoding="unicode", short_empty_elements=True)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{body}\n'


def _totals(outcomes: Counter[str]) -> dict[str, str]:
    return {
        "tests": str(outcomes.total()),
        "failures": str(outcomes["failure"]),
        "errors": str(outcomes["error"]),
        "time": _NO_TIME,
    }


def _add(suite: ET.Element, case: _Case, names: Counter[tuple[str, str]]) -> None:
    classname, name = _text(case.classname), _text(case.name)
    names[classname, name] += 1
    while (number := names[classname, name]) > 1:
        # Of cases with one name platforms count the first alone.
        name = f"{name} #{number}"
        names[classname, name] += 1
    element = ET.SubElement(suite, "testcase", {"classname": classname, "name": name, "time": _NO_TIME})
    if case.outcome:
        message = _text(case.message)
        said = ET.SubElement(
            element, case.outcome, {**({"type": _text(case.type)} if case.type else {}), "message": message}
        )
        # Jenkins shows the message, GitLab the text.
        said.text = "\n".join((message, *map(_text, case.lines)))


def _text(text: str) -> str:
    """One line of what XML takes."""
    return _FORBIDDEN.sub("\ufffd", plain(" ".join(text.split())))


# --- what is tested ---------------------------------------------------------------------------------------------------


def _suites(result: ScanResult) -> Iterator[_Suite]:
    rules = {rule.code: rule for rule in result.rules}
    verdicts: defaultdict[tuple[str, str], list[JudgedVerdict]] = defaultdict(list)
    for verdict in result.verdicts:
        verdicts[verdict.service, rules[verdict.rule].principle].append(verdict)
    yield _Suite("Diagnostics", tuple(_diagnostics(result)))
    if result.gate is not None:
        yield _Suite("Gate", tuple(_conditions(result.gate)))
    prefix = result.scanned.prefix
    for service in result.services:
        own = f"{service.name}." if len(result.services) > 1 else ""
        for principle in (principle for section in service.sections for principle in section.principles):
            judged = verdicts.pop((service.name, principle.id), [])
            cases = [_case(verdict, rules[verdict.rule], own, prefix) for verdict in judged]
            if principle.attestation is not None:
                cases.append(_attested(principle.id, principle.attestation, own))
            yield _Suite(f"{own}{principle.id} {principle.title}", tuple(cases))
    for (name, principle_id), judged in sorted(verdicts.items()):
        # An analyzer's check may be of a principle that the configuration left out.
        cases = [_case(verdict, rules[verdict.rule], f"{name}.", prefix) for verdict in judged]
        yield _Suite(f"{name}.{principle_id}", tuple(cases))


def _case(verdict: JudgedVerdict, rule: RuleInfo, own: str, prefix: str) -> _Case:
    outcome, message = _outcome(verdict, rule)
    name = f"{verdict.subject.label} ({prefix}{verdict.location.path})"
    type_ = verdict.severity.value if outcome == "failure" else ""
    lines = tuple(_lines(verdict, rule, prefix)) if verdict.is_finding else ()
    return _Case(f"{own}{rule.principle}.{rule.code}", name, outcome, type_, message, lines)


def _outcome(verdict: JudgedVerdict, rule: RuleInfo) -> tuple[str, str]:
    if verdict.kind is Kind.PASS:
        return "", ""
    if verdict.acceptance is not None:
        return "skipped", _accepted(verdict.acceptance)
    if verdict.kind is Kind.NOT_APPLICABLE:
        return "skipped", f"not applicable: {verdict.message}"
    if verdict.kind is Kind.REVIEW:
        return "skipped", f"review: {verdict.message}"
    if rule.is_preview:
        return "skipped", f"counts from edition {rule.since} on: {verdict.message}"
    if rule.advisory:
        return "skipped", f"counts in no score: {verdict.message}"
    return "failure", verdict.message


def _accepted(word: Acceptance) -> str:
    verb = "ignored in the code" if word.by is AcceptedBy.IGNORE else "waived"
    until = f" until {word.expires}" if word.expires else ""
    who = f" by {word.owner}" if word.owner else ""
    return f"{verb}{until}{who}: {word.reason}"


def _lines(verdict: JudgedVerdict, rule: RuleInfo, prefix: str) -> Iterator[str]:
    """Where, why and the next step."""
    yield f"at {prefix}{verdict.location}"
    for evidence in verdict.evidence:
        yield f"{prefix}{evidence.location}: {evidence.text}"
    if verdict.lapsed is not None:
        yield f"Its waiver has expired: {verdict.lapsed}"
    yield f"Fix: {rule.fix}"
    if rule.references:
        yield f"See: {', '.join(rule.references)}"
    state = f", {verdict.state}" if verdict.state is not None else ""
    yield f"Rule: {rule.code} {rule.name}; finding {verdict.fingerprint}{state}"


def _attested(principle: str, attestation: Attestation, own: str) -> _Case:
    message = f"attested until {attestation.expires} by {attestation.by}: {attestation.statement}"
    lines = (attestation.link,) if attestation.link else ()
    return _Case(f"{own}{principle}.attestation", "attestation", "skipped", "", message, lines)


def _diagnostics(result: ScanResult) -> Iterator[_Case]:
    """What left something out is an error; the rest only says where less is known."""
    errors = set(grave(result.diagnostics))
    for diagnostic in result.diagnostics:
        reason = diagnostic.reason.value
        line = "" if diagnostic.line is None else f":{diagnostic.line}"
        yield _Case(
            f"assay.{reason}",
            f"{result.scanned.prefix}{diagnostic.path}",
            "error" if diagnostic in errors else "skipped",
            reason,
            f"{result.scanned.prefix}{diagnostic.path}{line}: {diagnostic.message}",
            (REMEDIES[diagnostic.reason],),
        )


def _conditions(gate: GateResult) -> Iterable[_Case]:
    outcomes = {
        Outcome.MET: "",
        Outcome.NOT_MET: "failure" if gate.is_enforced else "skipped",
        Outcome.NOT_EVALUATED: "error" if gate.is_enforced else "skipped",
    }
    for condition in gate.conditions:
        outcome = outcomes.get(condition.outcome, "skipped")
        yield _Case("assay.gate", condition.name, outcome, condition.outcome.value, _measured(condition))


def _measured(condition: Condition) -> str:
    value = figures.NOTHING if condition.value is None else figures.measure(condition.value, condition.unit)
    limit = figures.measure(condition.limit, condition.unit)
    note = f" ({condition.note})" if condition.note else ""
    return f"{condition.outcome}: {condition.name}: {value}, and should be {condition.operator} {limit}{note}"
