"""How verdicts become scores: pure arithmetic, the same for the same input, to the last bit.

Compliance of a rule, severity-weighted mean of a principle's rules, cap, weighted means of principles and sections.
Every mean is taken over exact fractions and rounded to a float once: rounding is monotone, so turning a fail into a
pass, removing a failing verdict or adding a passing one never lowers any score, by not even one bit.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from types import MappingProxyType
from typing import NamedTuple, Protocol

from assay.scanner.results import (
    Attestation,
    JudgedVerdict,
    PrincipleScore,
    PrincipleStatus,
    RuleScore,
    SectionScore,
    ServiceResult,
)
from assay.scanner.rulebook import Rulebook, Section
from assay.scanner.verdicts import Kind, Severity

MINIMUM_COVERAGE = 0.95
"""The share of subjects and files (0 to 1) below which a service gets no grade, unless configured otherwise."""

NOT_RATED = "not rated"
"""The grade of a service of which too little could be judged."""

CAPS = {Severity.CRITICAL: 39, Severity.HIGH: 79}
"""The highest score of a principle with an unwaived fail of this severity: below D, below A."""

GRADES = ((90, "A"), (75, "B"), (60, "C"), (40, "D"), (0, "E"))
"""Each grade with the lowest score that earns it, best first."""


class ScoredRule(Protocol):
    """What scoring has to know of a rule."""

    @property
    def code(self) -> str: ...
    @property
    def principle(self) -> str: ...
    @property
    def severity(self) -> Severity: ...


def score_service(
    name: str,
    root: str,
    frameworks: tuple[str, ...],
    rulebook: Rulebook,
    verdicts: Iterable[JudgedVerdict],
    files_read: int,
    files_wanted: int,
    minimum_coverage: float = MINIMUM_COVERAGE,
) -> ServiceResult:
    """Score one service from all its verdicts, the waived ones included.

    Verdicts of rules that the rulebook doesn't hold are an analyzer's: advice, which counts neither in scores nor in
    coverage. `files_wanted` are the files that should have been read, `files_read` those of them that were.
    Raises ValueError if more files were read than wanted, or either number is negative.
    """
    sections = tuple(_unscored(section) for section in rulebook.standard.sections)
    service = ServiceResult(name, root, frameworks, None, NOT_RATED, 1.0, sections, files_read, files_wanted)
    return rescored(service, rulebook.rules, verdicts, minimum_coverage)


def rescored(
    service: ServiceResult,
    rules: Iterable[ScoredRule],
    verdicts: Iterable[JudgedVerdict],
    minimum_coverage: float = MINIMUM_COVERAGE,
    attestations: Mapping[str, Attestation] = MappingProxyType({}),
) -> ServiceResult:
    """The service with the scores that its verdicts give it; `attestations` by principle. Raises as `score_service`."""
    rules = tuple(rules)
    rule_scores = _score_rules(rules, verdicts)
    sections = tuple(_score_section(section, rules, rule_scores, attestations) for section in service.sections)
    score = _mean(_Term(s.score, s.weight) for s in sections)
    # Where a section weighs nothing in the score, what is open in it is no doubt about the score.
    weightless = {p.id for section in service.sections if not section.weight for p in section.principles}
    weighing = tuple(rule_scores[rule.code] for rule in rules if rule.principle not in weightless)
    coverage = _coverage(weighing, service.files_read, service.files_wanted)
    return replace(
        service,
        score=score,
        grade=grade(score) if coverage >= minimum_coverage else NOT_RATED,
        coverage=coverage,
        sections=sections,
    )


def _unscored(section: Section) -> SectionScore:
    principles = (
        PrincipleScore(p.id, p.title, p.weight, PrincipleStatus.NO_RULE_YET, None, None, (), is_attested=p.attested)
        for p in section.principles
    )
    return SectionScore(section.id, section.title, section.weight, None, tuple(principles))


def grade(score: float | None) -> str:
    """The letter for a score of 0 to 100; "not rated" where there is no score."""
    if score is None:
        return NOT_RATED
    return next(letter for lowest, letter in GRADES if score >= lowest)


def _score_rules(rules: Sequence[ScoredRule], verdicts: Iterable[JudgedVerdict]) -> dict[str, RuleScore]:
    waived: Counter[str] = Counter()
    judged: Counter[tuple[str, Kind]] = Counter()
    for verdict in verdicts:
        if verdict.is_finding and verdict.waiver is not None:
            waived[verdict.rule] += 1
        else:
            judged[verdict.rule, verdict.kind] += 1
    return {
        rule.code: RuleScore(
            rule.code,
            passed=judged[rule.code, Kind.PASS],
            failed=judged[rule.code, Kind.FAIL],
            review=judged[rule.code, Kind.REVIEW],
            not_applicable=judged[rule.code, Kind.NOT_APPLICABLE],
            waived=waived[rule.code],
        )
        for rule in rules
    }


def _score_section(
    section: SectionScore,
    rules: Sequence[ScoredRule],
    rule_scores: dict[str, RuleScore],
    attestations: Mapping[str, Attestation],
) -> SectionScore:
    principles = tuple(
        _score_principle(p, [r for r in rules if r.principle == p.id], rule_scores, attestations.get(p.id))
        for p in section.principles
    )
    return replace(section, score=_mean(_Term(p.score, p.weight) for p in principles), principles=principles)


def _score_principle(
    principle: PrincipleScore,
    rules: Sequence[ScoredRule],
    rule_scores: dict[str, RuleScore],
    attestation: Attestation | None,
) -> PrincipleScore:
    scores = tuple(rule_scores[rule.code] for rule in rules)
    mean = _mean(_Term(_percentage(rule_scores[rule.code]), rule.severity.weight) for rule in rules)
    cap = min((CAPS[r.severity] for r in rules if r.severity in CAPS and rule_scores[r.code].failed), default=None)
    score = mean if mean is None or cap is None else min(mean, float(cap))
    status = _status(principle, bool(rules), score is not None, attestation is not None)
    return replace(principle, status=status, score=score, cap=cap, rules=scores, attestation=attestation)


def _status(principle: PrincipleScore, has_rules: bool, is_judged: bool, is_attested: bool) -> PrincipleStatus:
    if is_judged:
        return PrincipleStatus.SCORED
    if is_attested:
        return PrincipleStatus.ATTESTED
    if not has_rules:
        return PrincipleStatus.NO_RULE_YET
    return PrincipleStatus.NEEDS_ATTESTATION if principle.is_attested else PrincipleStatus.NOT_APPLICABLE


def _percentage(score: RuleScore) -> Fraction | None:
    judged = score.passed + score.failed
    return Fraction(100 * score.passed, judged) if judged else None


class _Term(NamedTuple):
    """One value of a weighted mean; a value of None takes no part."""

    value: Fraction | float | None
    weight: float


def _mean(terms: Iterable[_Term]) -> float | None:
    total = weights = Fraction(0)
    for value, weight in terms:
        if value is not None:
            total += Fraction(value) * Fraction(weight)
            weights += Fraction(weight)
    return float(total / weights) if weights else None


def _coverage(rule_scores: Sequence[RuleScore], files_read: int, files_wanted: int) -> float:
    """A waived finding was settled by a person; a subject that no rule applies to was never to be judged."""
    if not 0 <= files_read <= files_wanted:
        raise ValueError(f"{files_read} of {files_wanted} files can't have been read")
    settled = sum(s.passed + s.failed + s.waived for s in rule_scores)
    subjects = _share(settled, settled + sum(s.review for s in rule_scores))
    return float(subjects * _share(files_read, files_wanted))


def _share(part: int, whole: int) -> Fraction:
    return Fraction(part, whole) if whole else Fraction(1)
