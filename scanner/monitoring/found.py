"""The files of a tree that watch its services."""

from __future__ import annotations

from collections.abc import Iterator

from assay.scanner.gathered import Gathered
from assay.scanner.homes import Homes
from assay.scanner.model.role import Role
from assay.scanner.monitoring import promql
from assay.scanner.readers.kubernetes.facts import KubernetesFacts
from assay.scanner.readers.monitoring.facts import AlertRule, MonitoringFacts
from assay.scanner.readers.platforms import PlatformFacts

_NAMING = ("job", "service", "service_name", "app", "application", "container", "deployment", "component", "team")
"""Labels that say which service something is about."""
_SUFFIXES = ("-probe", "-service", "-monitor", "_probe", "-api", "-web", "-server")


class Monitoring:
    """What was read of all files, by path."""

    def __init__(self, gathered: Gathered) -> None:
        self.gathered = gathered
        self.homes = Homes(gathered)
        self.files: dict[str, MonitoringFacts] = {}
        for path, facts in sorted(gathered.context.files.items()):
            held = facts.monitoring if isinstance(facts, KubernetesFacts) else facts
            held = held.watched if isinstance(held, PlatformFacts) else held
            if isinstance(held, MonitoringFacts) and self.role(path) is not Role.TEST:
                self.files[path] = held

    def role(self, path: str) -> Role:
        """What the file is for."""
        return self.gathered.roles.get(path, Role.PROD)

    def home(self, path: str, alert: AlertRule) -> str | None:
        """The service that an alert is judged with, where it is one of these."""
        return self.homes.own(self.named(alert) or self.homes.around(path))

    def named(self, alert: AlertRule) -> str | None:
        """The service, here or elsewhere, that the alert says it is about."""
        return self.homes.named(named(alert))


def named(alert: AlertRule) -> Iterator[str]:
    """What the alert calls the service that it is about."""
    for value in _values(alert):
        yield value
        for suffix in _SUFFIXES:
            yield value.removesuffix(suffix)


def _values(alert: AlertRule) -> Iterator[str]:
    yield from (value for label, value in alert.labels if label in _NAMING)
    for expression, _ in alert.expressions:
        for selector in promql.selectors(expression):
            yield from (m.value for m in selector.matchers if m.operator == "=" and m.label in _NAMING)
