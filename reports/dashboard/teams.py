"""Teams: which services and findings are whose, as their newest scans say."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from assay.reports.dashboard import addresses
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.plain import plain
from assay.scanner.history.records import FindingRecord, ServiceRecord
from assay.scanner.results import is_team
from assay.scanner.verdicts import Kind

__all__ = ["NOBODY", "Team", "TeamName", "choices", "named", "teams"]

NOBODY = "no owner"
"""What services of no team are told under: never left out, and never somebody's."""
Owned = tuple[ServiceRecord, FindingRecord]


@dataclass(frozen=True, slots=True)
class TeamName:
    """As it is shown; `key` is what an address holds instead, `page` where its page is."""

    text: str
    key: str
    page: str


@dataclass(frozen=True, slots=True)
class Team:
    """`name` is empty for nobody. `elsewhere` are findings in services of others, in files that are its own."""

    name: str
    services: tuple[ServiceRecord, ...]
    elsewhere: tuple[Owned, ...]

    def findings(self, portfolio: Portfolio) -> Iterable[Owned]:
        """Those in its services, and those elsewhere."""
        for service in self.services:
            yield from ((service, finding) for finding in portfolio.findings.get(service.id, ()))
        yield from self.elsewhere

    def open_fails(self, portfolio: Portfolio) -> list[Owned]:
        """Fails that nobody accepted, worst first."""
        found = [
            (service, finding)
            for service, finding in self.findings(portfolio)
            if finding.kind is Kind.FAIL and finding.acceptance is None
        ]
        return sorted(found, key=lambda one: (one[1].severity.rank, one[0].label, one[1].path, one[1].line))


def named(team: str) -> TeamName:
    """A team by the name that scans know it by."""
    return TeamName(plain(team) if team else NOBODY, addresses.team_name(team), addresses.team(team))


def teams(portfolio: Portfolio) -> tuple[Team, ...]:
    """By name, nobody last. People who own no service but files in one have no page of their own."""
    services: defaultdict[str, list[ServiceRecord]] = defaultdict(list)
    elsewhere: defaultdict[str, list[Owned]] = defaultdict(list)
    for service in portfolio.services:
        services[service.latest.team].append(service)
    for service in portfolio.services:
        for finding in portfolio.findings.get(service.id, ()):
            for owner in finding.owners:
                if owner != service.latest.team and (is_team(owner) or owner in services):
                    elsewhere[owner].append((service, finding))
    names = sorted({*services, *elsewhere}, key=lambda name: (not name, name.casefold(), name))
    return tuple(Team(name, tuple(services[name]), tuple(elsewhere[name])) for name in names)


def choices(portfolio: Portfolio) -> tuple[TeamName, ...]:
    """What services can be filtered by: the teams that have any; none where nobody owns anything."""
    names = {service.latest.team for service in portfolio.services}
    return tuple(map(named, sorted(names, key=lambda name: (not name, name.casefold(), name)))) if any(names) else ()
