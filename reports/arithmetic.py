"""How every score came about, spelt out: compliance to principle, principle to section, section to service."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from assay.reports import figures
from assay.scanner.results import PrincipleScore, RuleInfo, RuleScore, SectionScore, ServiceResult
from assay.scanner.verdicts import Severity


@dataclass(frozen=True, slots=True)
class Tally:
    """Verdicts by outcome; a waived finding is in no other count."""

    passed: int
    failed: int
    review: int
    not_applicable: int
    waived: int

    @classmethod
    def of(cls, rules: Iterable[RuleScore]) -> Tally:
        counted = tuple(rules)
        return cls(
            sum(r.passed for r in counted),
            sum(r.failed for r in counted),
            sum(r.review for r in counted),
            sum(r.not_applicable for r in counted),
            sum(r.waived for r in counted),
        )

    @classmethod
    def of_section(cls, section: SectionScore) -> Tally:
        return cls.of(rule for principle in section.principles for rule in principle.rules)

    @property
    def compliance(self) -> float | None:
        """pass / (pass + fail), 0 to 1; None when nothing was judged."""
        judged = self.passed + self.failed
        return self.passed / judged if judged else None

    @property
    def judged(self) -> float | None:
        """The share of applicable subjects that got a pass or a fail instead of a review; None without any."""
        applicable = self.passed + self.failed + self.review
        return (self.passed + self.failed) / applicable if applicable else None


def of_principle(principle: PrincipleScore, rules: Mapping[str, RuleInfo]) -> str:
    """`(8 × 0.50 + 4 × 1.00) / 12 = 66.7 %, capped at 39 by a critical fail`; empty for one without a score."""
    if principle.score is None:
        return ""
    terms = [(rules[r.code].severity.weight, r.compliance) for r in principle.rules if r.compliance is not None]
    mean = _mean([(weight, compliance * 100) for weight, compliance in terms])
    written = _written([(f"{weight}", f"{compliance:.2f}") for weight, compliance in terms], sum(w for w, _ in terms))
    return f"{written} = {figures.score(mean)} %{_cap(principle, mean, rules)}"


def _cap(principle: PrincipleScore, mean: float, rules: Mapping[str, RuleInfo]) -> str:
    if principle.cap is None:
        return ""
    worst = min((rules[r.code].severity for r in principle.rules if r.failed), key=lambda s: s.rank, default=None)
    cause = f"a {worst} fail" if worst in (Severity.CRITICAL, Severity.HIGH) else "a fail"
    if mean > principle.cap:
        return f", capped at {principle.cap} by {cause}"
    return f"; {cause} caps it at {principle.cap}, which it is below already"


def of_section(section: SectionScore) -> str:
    """`(1 × 39.0 + 2 × 100.0) / 3 = 79.7`; empty for a section without a score."""
    return _weighted([(p.weight, p.score) for p in section.principles], section.score)


def of_service(service: ServiceResult) -> str:
    """`(3 × 79.7 + 2 × 91.0) / 5 = 84.2`; empty for a service without a score."""
    return _weighted([(s.weight, s.score) for s in service.sections], service.score)


def _weighted(parts: list[tuple[float, float | None]], total: float | None) -> str:
    if total is None:
        return ""
    scored = [(weight, score) for weight, score in parts if score is not None and weight]
    terms = [(f"{weight:g}", figures.score(score)) for weight, score in scored]
    return f"{_written(terms, sum(weight for weight, _ in scored))} = {figures.score(total)}"


def _mean(terms: list[tuple[int, float]]) -> float:
    return sum(weight * value for weight, value in terms) / sum(weight for weight, _ in terms)


def _written(terms: list[tuple[str, str]], total_weight: float) -> str:
    return f"({' + '.join(f'{weight} × {value}' for weight, value in terms)}) / {total_weight:g}"
