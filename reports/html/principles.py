"""The page of principles: every principle of the standard with its score, what limits it, and its arithmetic."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from assay.reports import arithmetic, figures
from assay.reports.arithmetic import Tally
from assay.reports.html.scores import Earlier, cell, earlier, move
from assay.reports.html.services import bar, cap, passed_of_judged
from assay.reports.html.views import (
    AttestationView,
    MatrixRow,
    PrincipleGroup,
    Principles,
    PrincipleTable,
    PrincipleView,
    RuleRow,
)
from assay.reports.plain import plain
from assay.scanner.results import (
    Attestation,
    PrincipleScore,
    PrincipleStatus,
    RuleInfo,
    RuleScore,
    ScanResult,
    SectionScore,
    ServiceResult,
)

__all__ = ["principles"]

_STATUSES = {
    PrincipleStatus.SCORED: "scored",
    PrincipleStatus.ATTESTED: "attested by a person",
    PrincipleStatus.NEEDS_ATTESTATION: "waiting for an attestation",
    PrincipleStatus.NOT_APPLICABLE: "with nothing to judge here",
    PrincipleStatus.NO_RULE_YET: "without a rule yet",
}
"""In the order of how much they say."""


def principles(result: ScanResult) -> Principles:
    """A table for each service, and all of them side by side where there are several."""
    rules = {rule.code: rule for rule in result.rules}
    return Principles(
        summary=_summary(result.services),
        tables=tuple(_table(index, service, result, rules) for index, service in enumerate(result.services)),
        matrix=tuple(_matrix(result.services)) if len(result.services) > 1 else (),
    )


def _summary(services: tuple[ServiceResult, ...]) -> str:
    """How many of the standard's principles have a score, and why the others have none.

    Of several services the one counts that says most of a principle.
    """
    best: dict[str, PrincipleStatus] = {}
    order = list(_STATUSES)
    for principle in (p for service in services for section in service.sections for p in section.principles):
        best[principle.id] = min(best.get(principle.id, order[-1]), principle.status, key=order.index)
    statuses = Counter(best.values())
    others = [f"{statuses[status]:,} {_STATUSES[status]}" for status in order[1:] if statuses[status]]
    number = f"{statuses[PrincipleStatus.SCORED]:,} of {figures.count(len(best), 'principle')} scored"
    return f"{number}; {figures.joined(others)}." if others else f"{number}."


def _table(index: int, service: ServiceResult, result: ScanResult, rules: Mapping[str, RuleInfo]) -> PrincipleTable:
    old = earlier(result, service)
    return PrincipleTable(
        anchor=f"principles-{index}",
        service=plain(service.name),
        grade=plain(service.grade),
        score=figures.score(service.score),
        arithmetic=arithmetic.of_service(service),
        groups=tuple(_group(section, old, rules) for section in service.sections),
    )


def _group(section: SectionScore, old: Earlier, rules: Mapping[str, RuleInfo]) -> PrincipleGroup:
    return PrincipleGroup(
        id=section.id,
        title=plain(section.title),
        weight=f"{section.weight:g}",
        score=figures.score(section.score),
        move=move(old.sections.get(section.id), section.score),
        arithmetic=arithmetic.of_section(section),
        principles=tuple(_principle(p, old, rules) for p in section.principles),
    )


def _principle(principle: PrincipleScore, old: Earlier, rules: Mapping[str, RuleInfo]) -> PrincipleView:
    tally = Tally.of(principle.rules)
    worst = _worst(principle, rules)
    return PrincipleView(
        id=principle.id,
        title=plain(principle.title),
        weight=f"{principle.weight:g}",
        score=figures.score(principle.score),
        move=move(old.principles.get(principle.id), principle.score),
        cap=cap(principle),
        status="" if principle.status is PrincipleStatus.SCORED else principle.status.value,
        attestation=None if principle.attestation is None else _attestation(principle.attestation),
        bar=bar(tally),
        passed_of_judged=passed_of_judged(tally),
        worst="" if worst is None else plain(worst.code),
        worst_amount="" if worst is None else figures.count(worst.failed, "fail"),
        review=tally.review,
        waived=tally.waived,
        arithmetic=arithmetic.of_principle(principle, rules),
        rules=tuple(_rule(rules[score.code], score) for score in principle.rules),
    )


def _worst(principle: PrincipleScore, rules: Mapping[str, RuleInfo]) -> RuleScore | None:
    """The rule that weighs most against it: by severity, then by the share that fails."""
    failing = [rule for rule in principle.rules if rule.failed]
    return min(failing, key=lambda r: (rules[r.code].severity.rank, r.compliance or 0.0, r.code), default=None)


def _attestation(attestation: Attestation) -> AttestationView:
    """Only an address of the web becomes a link: the word of a configuration may be anything."""
    link = plain(attestation.link)
    return AttestationView(
        statement=plain(attestation.statement),
        by=plain(attestation.by),
        expires=plain(attestation.expires),
        link=link if _is_web_address(link) else "",
    )


def _is_web_address(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and bool(parts.netloc)


def _rule(rule: RuleInfo, score: RuleScore) -> RuleRow:
    return RuleRow(
        code=plain(rule.code),
        name=plain(rule.name),
        severity=rule.severity.value,
        weight=str(rule.severity.weight),
        passed=score.passed,
        failed=score.failed,
        review=score.review,
        not_applicable=score.not_applicable,
        waived=score.waived,
        compliance=figures.NOTHING if score.compliance is None else f"{score.compliance:.2f}",
    )


def _matrix(services: tuple[ServiceResult, ...]) -> Iterable[MatrixRow]:
    """A row for each principle that has a score in any service."""
    scores = [{p.id: p for section in service.sections for p in section.principles} for service in services]
    titles = {name: p.title for of_service in scores for name, p in of_service.items()}
    for name, title in titles.items():
        cells = [of_service.get(name) for of_service in scores]
        if any(p is not None and p.score is not None for p in cells):
            yield MatrixRow(name, plain(title), tuple(cell(None if p is None else p.score) for p in cells))
