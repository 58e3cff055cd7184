"""Analyzers' findings in the terms of the standard: checks with a principle, and what is shown for review.

An analyzer has no denominator: it says what is wrong somewhere, never what is right elsewhere. So its findings are
advice, always of kind `review`, and never count in a score. A place that a rule has judged is left to that rule.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import msgspec

from assay.scanner import packaged_yaml
from assay.scanner.analyzers.facts import AnalyzerFacts, BanditFinding, FunctionComplexity
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.results import JudgedVerdict, RuleInfo, SubjectReference
from assay.scanner.verdicts import Kind, Severity

COMPLEXITY = "RADON-CC"
COMPLEX_RANKS = frozenset("DEF")
"""More than 20 paths (radon's scale)."""

MODULE_LEVEL = "<module>"

_QUOTES_A_SECRET = frozenset({"B105", "B106", "B107"})
"""bandit's message ends with the password that it found, which would go into every report."""


class AdvisoryTableError(Exception):
    """A table of checks can't be read; the message says where and why."""


class Check(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One check of an analyzer: the principle it belongs to, and its documentation."""

    name: str
    principle: str
    severity: Severity
    title: str
    why: str
    fix: str
    cwe: tuple[int, ...] = ()
    superseded_by: tuple[str, ...] = ()


class CheckTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The checks of one analyzer, by code."""

    tool: str
    url: str
    checks: dict[str, Check]


UNKNOWN_CHECK = Check(
    name="check-of-a-plugin",
    principle="SEC5",
    severity=Severity.LOW,
    title="A check that a bandit plugin brings found something.",
    why="the plugin's documentation says.",
    fix="follow the plugin's documentation.",
)
"""For ids that no table holds: bandit takes plugins, and newer versions bring new checks."""


@dataclass(frozen=True, slots=True)
class Advisory:
    """A finding of an analyzer, ready to become a judged verdict."""

    rule: str
    kind: Kind
    severity: Severity
    subject: SubjectReference
    location: Location
    message: str
    evidence: tuple[Evidence, ...]


def load_table(text: str) -> CheckTable:
    """Read a table of checks from YAML. Raises AdvisoryTableError."""
    import yaml

    try:
        return msgspec.convert(packaged_yaml.load(text), CheckTable)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise AdvisoryTableError(str(error)) from error


def merge(tables: Iterable[CheckTable]) -> dict[str, Check]:
    """All checks by code."""
    return {code: check for table in tables for code, check in table.checks.items()}


def rule_infos(checks: Mapping[str, Check], codes: Iterable[str]) -> tuple[RuleInfo, ...]:
    """The checks as reports show them, in the order of their codes."""
    found = ((code, checks.get(code, UNKNOWN_CHECK)) for code in sorted(set(codes)))
    return tuple(
        RuleInfo(
            code=code,
            name=check.name,
            title=check.title,
            principle=check.principle,
            severity=check.severity,
            cwe=check.cwe,
            why=check.why,
            fix=check.fix,
            advisory=True,
        )
        for code, check in found
    )


Judged = Mapping[str, frozenset[tuple[str, int]]]
"""By rule code: the places, path and line, that the rule has judged."""


def judged_places(verdicts: Iterable[JudgedVerdict]) -> dict[str, frozenset[tuple[str, int]]]:
    """Where each rule has judged: every line of its verdicts' locations, and of their evidence."""
    places: dict[str, set[tuple[str, int]]] = {}
    for verdict in verdicts:
        if verdict.kind is Kind.NOT_APPLICABLE:
            continue
        lines = places.setdefault(verdict.rule, set())
        for location in (verdict.location, *(evidence.location for evidence in verdict.evidence)):
            lines.update((location.path, line) for line in range(location.line, location.end_line + 1))
    return {rule: frozenset(lines) for rule, lines in places.items()}


def advise(
    facts: AnalyzerFacts, path: str, role: Role, checks: Mapping[str, Check], judged: Judged
) -> tuple[Advisory, ...]:
    """What to show of one file's facts, in the order of the file; nothing for code that isn't production's."""
    if role is not Role.PROD:
        return ()
    ordinals: Counter[str] = Counter()
    advisories = []
    for finding in facts.findings:
        # Counted before the superseded ones are dropped, so that a rule's progress moves nobody's identity.
        subject = _subject(finding.test_id, path, finding.function, ordinals)
        check = checks.get(finding.test_id, UNKNOWN_CHECK)
        if not _is_judged(finding, path, check, judged):
            advisories.append(_of_finding(finding, path, check, subject))
    for complexity in facts.complexities:
        if complexity.rank in COMPLEX_RANKS:
            subject = _subject(COMPLEXITY, path, complexity.function, ordinals)
            advisories.append(_of_complexity(complexity, path, checks.get(COMPLEXITY, UNKNOWN_CHECK), subject))
    return tuple(sorted(advisories, key=lambda a: (a.location, a.rule, a.subject.id)))


def _is_judged(finding: BanditFinding, path: str, check: Check, judged: Judged) -> bool:
    lines = range(finding.line, finding.end_line + 1)
    return any((path, line) in judged.get(rule, ()) for rule in check.superseded_by for line in lines)


def _subject(code: str, path: str, function: str, ordinals: Counter[str]) -> SubjectReference:
    """Path, function and ordinal among the check's findings there: moved lines don't change it."""
    place = f"{path}:{function or MODULE_LEVEL}"
    ordinals[f"{code} {place}"] += 1
    ordinal = ordinals[f"{code} {place}"]
    return SubjectReference("code", f"{place}#{ordinal}", function or path)


def _of_finding(finding: BanditFinding, path: str, check: Check, subject: SubjectReference) -> Advisory:
    location = Location(path, finding.line, finding.column, finding.end_line, finding.end_column)
    text = f"bandit {finding.test_id} ({finding.name}), {finding.confidence.lower()} confidence"
    said = finding.message.partition(":")[0] if finding.test_id in _QUOTES_A_SECRET else finding.message.rstrip(".")
    message = f"{said}; {check.fix}"
    return Advisory(
        finding.test_id, Kind.REVIEW, check.severity, subject, location, message, (Evidence(location, text),)
    )


def _of_complexity(complexity: FunctionComplexity, path: str, check: Check, subject: SubjectReference) -> Advisory:
    location = Location(path, complexity.line, complexity.column, complexity.end_line, complexity.end_column)
    text = f"radon: cyclomatic complexity {complexity.complexity}, rank {complexity.rank}"
    message = f"{complexity.function} has {complexity.complexity} paths through it; {check.fix}"
    return Advisory(COMPLEXITY, Kind.REVIEW, check.severity, subject, location, message, (Evidence(location, text),))
