"""What to do first: the rules whose open fails weigh most, with what mending them would bring.

What is critical goes before everything else, however much of that there is: a lost database isn't made up for by a
hundred better log messages.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable

from assay.reports import figures, selection
from assay.reports.html import addresses
from assay.reports.html.code import place
from assay.reports.html.gains import gain_of_rule
from assay.reports.html.nouns import counted
from assay.reports.html.views import Task
from assay.reports.plain import plain
from assay.scanner.results import JudgedVerdict, RuleScore, ScanResult, ServiceResult
from assay.scanner.verdicts import Severity

__all__ = ["SHOWN", "tasks"]

SHOWN = 5
SHOWN_OWNERS = 2


def tasks(result: ScanResult) -> tuple[Task, ...]:
    """The first few: the critical ones, then by severity × number of subjects; among equals by code."""
    fails: defaultdict[str, list[JudgedVerdict]] = defaultdict(list)
    for fail in selection.open_fails(result):
        fails[fail.rule].append(fail)
    ordered = sorted(fails.items(), key=lambda item: (not _is_critical(item[1]), -_weight(item[1]), item[0]))
    return tuple(_task(code, members, result) for code, members in ordered[:SHOWN])


def _is_critical(fails: Iterable[JudgedVerdict]) -> bool:
    return any(fail.severity is Severity.CRITICAL for fail in fails)


def _weight(fails: Iterable[JudgedVerdict]) -> int:
    return sum(fail.severity.weight for fail in fails)


def _task(code: str, fails: list[JudgedVerdict], result: ScanResult) -> Task:
    rules = {rule.code: rule for rule in result.rules}
    rule = rules[code]
    first = fails[0]
    return Task(
        severity=min((fail.severity for fail in fails), key=lambda s: s.rank, default=Severity.LOW).value,
        code=plain(code),
        title=plain(rule.title),
        fix=plain(rule.fix),
        amount=_amount(code, fails, result),
        gain=_gain(code, result),
        owners=_owners(fails, result),
        address=addresses.of_findings(kind="fail", rule=code),
        where=place(first.location),
    )


def _amount(code: str, fails: list[JudgedVerdict], result: ScanResult) -> str:
    """`3 of 17 endpoints`, and in how many services where there are several."""
    scores = [rule for service in result.services for rule in _scores(service, code)]
    judged = sum(score.passed + score.failed for score in scores)
    kinds = {fail.subject.kind for fail in fails}
    kind = kinds.pop() if len(kinds) == 1 else "subject"
    amount = f"{len(fails):,} of {counted(judged, kind)}" if judged else counted(len(fails), kind)
    services = len({fail.service for fail in fails})
    return f"{amount} in {figures.count(services, 'service')}" if len(result.services) > 1 else amount


def _gain(code: str, result: ScanResult) -> str:
    """Points of the score, for the only service or for the one that gains most."""
    rules = {rule.code: rule for rule in result.rules}
    gains = [(gain_of_rule(service, code, rules), service.name) for service in result.services]
    points, name = max(gains, key=lambda gain: gain[0], default=(0.0, ""))
    if points < 0.05:
        return ""
    return f"+{points:.1f} points" + (f" for {plain(name)}" if len(result.services) > 1 else "")


def _owners(fails: list[JudgedVerdict], result: ScanResult) -> str:
    """Whose it is, those with the most first; empty where the tree names no owners."""
    owned = Counter(owner for fail in fails for owner in result.owners.get(fail.location.path, ()))
    names = [plain(name) for name, _ in sorted(owned.items(), key=lambda item: (-item[1], item[0]))]
    return ", ".join(names[:SHOWN_OWNERS]) + (f" and {len(names) - SHOWN_OWNERS} more" if names[SHOWN_OWNERS:] else "")


def _scores(service: ServiceResult, code: str) -> Iterable[RuleScore]:
    principles = (principle for section in service.sections for principle in section.principles)
    return (rule for principle in principles for rule in principle.rules if rule.code == code)
