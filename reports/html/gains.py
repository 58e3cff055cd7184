"""What mending would bring: points of a service's score, and the fewest principles that lead to its next grade."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from assay.scanner.results import PrincipleScore, RuleInfo, ServiceResult
from assay.scanner.scoring import CAPS, GRADES

__all__ = ["Gain", "NextGrade", "gain_of_rule", "next_grade"]


@dataclass(frozen=True, slots=True)
class Gain:
    """Points of a service's score that a principle would bring if it were fully kept."""

    principle: str
    points: float


@dataclass(frozen=True, slots=True)
class NextGrade:
    """The next better grade, the points that are missing, and principles that would bring them, the largest first."""

    grade: str
    lowest: int
    missing: float
    by: tuple[Gain, ...]

    @property
    def brought(self) -> float:
        return sum(gain.points for gain in self.by)


def next_grade(service: ServiceResult) -> NextGrade | None:
    """None for the best grade, and for a service without a score."""
    score = service.score
    if score is None or score >= GRADES[0][0]:
        return None
    lowest, letter = min((lowest, letter) for lowest, letter in GRADES if lowest > score)
    chosen: list[Gain] = []
    for gain in sorted(_gains(service), key=lambda gain: (-gain.points, gain.principle)):
        if sum(g.points for g in chosen) >= lowest - score:
            break
        chosen.append(gain)
    return NextGrade(letter, lowest, lowest - score, tuple(chosen))


def gain_of_rule(service: ServiceResult, code: str, rules: Mapping[str, RuleInfo]) -> float:
    """Points of the service's score that it would gain if all that fails the rule passed it."""
    for principle, share in _shares(service):
        if principle.score is not None and any(rule.code == code for rule in principle.rules):
            return share * (_score_without(principle, {code}, rules) - principle.score)
    return 0.0


def _gains(service: ServiceResult) -> Iterable[Gain]:
    for principle, share in _shares(service):
        if principle.score is not None and principle.score < 100:
            yield Gain(principle.id, share * (100 - principle.score))


def _shares(service: ServiceResult) -> Iterable[tuple[PrincipleScore, float]]:
    """Every scored principle with what a point of it is worth in the service's score.

    That doesn't change by mending: what was judged stays judged, so the same weights take part in every mean.
    """
    total = sum(section.weight for section in service.sections if section.score is not None)
    for section in service.sections:
        scored = [p for p in section.principles if p.score is not None]
        weights = sum(p.weight for p in scored)
        if section.score is not None and total and weights:
            yield from ((p, section.weight / total * p.weight / weights) for p in scored)


def _score_without(principle: PrincipleScore, mended: Collection[str], rules: Mapping[str, RuleInfo]) -> float:
    """The principle's score if nothing failed the mended rules."""
    terms = [
        (rules[rule.code].severity, 1.0 if rule.code in mended else rule.compliance)
        for rule in principle.rules
        if rule.compliance is not None
    ]
    mean = sum(s.weight * compliance for s, compliance in terms if compliance) / sum(s.weight for s, _ in terms) * 100
    failing = {rules[rule.code].severity for rule in principle.rules if rule.failed and rule.code not in mended}
    return min([mean, *(float(CAPS[severity]) for severity in failing if severity in CAPS)])
