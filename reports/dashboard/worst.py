"""Findings as a list on a page shows them: the worst first, each with a link to its place in the full report."""

from __future__ import annotations

from dataclasses import dataclass

from assay.reports.dashboard import addresses
from assay.reports.html.addresses import SHOWN_FINGERPRINT
from assay.reports.html.masking import without_quotes
from assay.reports.plain import plain
from assay.scanner.history.records import FindingRecord, ServiceRecord

__all__ = ["Worst", "worst"]


@dataclass(frozen=True, slots=True)
class Worst:
    """`address` is its place in the full report; empty where none is kept. `owners` are those of its file, where they
    are others than the team that looks at it.
    """

    severity: str
    rule: str
    rule_address: str
    text: str
    subject: str
    place: str
    since: str
    address: str
    service: str
    service_address: str
    owners: str


def worst(finding: FindingRecord, service: ServiceRecord, team: str, *, has_report: bool) -> Worst:
    """The finding of the service, for the team."""
    mark = plain(finding.fingerprint[:SHOWN_FINGERPRINT])
    return Worst(
        finding.severity.value,
        plain(finding.rule),
        addresses.rule(finding.rule),
        # No store knows which rules are about secrets.
        plain(without_quotes(finding.message)),
        plain(finding.subject.label),
        f"{plain(finding.path)}:{finding.line}",
        f"{finding.first_seen:%Y-%m-%d}",
        f"{addresses.report(service)}#/f/{mark}" if has_report else "",
        plain(service.label),
        addresses.service(service),
        "" if team in finding.owners else plain(", ".join(finding.owners)),
    )
