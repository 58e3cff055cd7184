"""The pages of rules: which services fail each of them, and in how many subjects."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import partial

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.page import Draw, render
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.plain import plain
from assay.scanner.history.records import RuleRecord, ServiceRecord

__all__ = ["LIST", "listing", "pages"]

LIST = "rules.html"
_Found = list[tuple[ServiceRecord, RuleRecord]]


@dataclass(frozen=True, slots=True)
class _Row:
    name: str
    address: str
    passed: str
    failed: int
    review: int
    accepted: int
    is_stale: bool


@dataclass(frozen=True, slots=True)
class _Summary:
    """A rule over all services that were scanned lately; `judged_by`: how many of them have a pass or a fail."""

    code: str
    title: str
    severity: str
    rank: int
    principle: str
    principle_address: str
    address: str
    failing: int
    judged_by: str
    fails: int


def listing(portfolio: Portfolio) -> str:
    """All rules that judged anything, those that most services fail first."""
    found = _by_code(portfolio)
    rows = [_summary(rule, found[rule.code], portfolio) for rule in portfolio.standard.rules if rule.code in found]
    rows.sort(key=lambda row: (-row.failing, row.rank, row.code))
    return render("rules.html.j2", LIST, "Rules · Assay", portfolio.state, rows=tuple(rows))


def pages(portfolio: Portfolio) -> dict[str, Draw]:
    """A page for each of them, by address."""
    found = _by_code(portfolio)
    return {
        addresses.rule(rule.code): partial(_page, rule, found[rule.code], portfolio)
        for rule in portfolio.standard.rules
        if rule.code in found
    }


def _page(rule: RuleRecord, found: _Found, portfolio: Portfolio) -> str:
    ordered = sorted(found, key=lambda pair: (pair[1].counts.compliance or 0.0, pair[0].label))
    rows = [_row(service, record, portfolio) for service, record in ordered]
    return render(
        "rule.html.j2",
        addresses.rule(rule.code),
        f"{plain(rule.code)} · Assay",
        portfolio.state,
        summary=_summary(rule, found, portfolio),
        failing=tuple(row for row in rows if row.failed),
        others=tuple(row for row in rows if not row.failed),
    )


def _by_code(portfolio: Portfolio) -> dict[str, _Found]:
    found: defaultdict[str, _Found] = defaultdict(list)
    for service in portfolio.services:
        for record in portfolio.rules.get(service.id, ()):
            found[record.code].append((service, record))
    return found


def _row(service: ServiceRecord, record: RuleRecord, portfolio: Portfolio) -> _Row:
    counts = record.counts
    judged = counts.passed + counts.failed
    return _Row(
        plain(service.label),
        addresses.service(service),
        f"{counts.passed:,} of {judged:,}" if judged else figures.NOTHING,
        counts.failed,
        counts.review,
        counts.waived,
        portfolio.is_stale(service),
    )


def _summary(rule: RuleRecord, found: _Found, portfolio: Portfolio) -> _Summary:
    lately = [record for service, record in found if not portfolio.is_stale(service)]
    # Each service's configuration may give it another one; what the standard's record has is that of no scan.
    severity = min((record.severity for _, record in found), key=lambda each: each.rank)
    return _Summary(
        plain(rule.code),
        plain(rule.title),
        severity.value,
        severity.rank,
        plain(rule.principle),
        addresses.principle(rule.principle),
        addresses.rule(rule.code),
        sum(bool(record.counts.failed) for record in lately),
        f"{sum(record.counts.compliance is not None for record in lately):,}",
        sum(record.counts.failed for record in lately),
    )
