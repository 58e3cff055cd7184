"""Which of the golden signals the alerts about a service look at: errors, latency, saturation.

Traffic, the fourth, is rarely alerted on by itself. sre.google/sre-book/monitoring-distributed-systems
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

from assay.scanner.model.monitoring import AlertCoverage
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.workload import Platform
from assay.scanner.monitoring import promql
from assay.scanner.monitoring.alerts import is_heartbeat
from assay.scanner.monitoring.found import Monitoring
from assay.scanner.readers.monitoring.facts import AlertRule
from assay.scanner.readers.platforms import PlatformFacts
from assay.scanner.services import ServiceRoot


class Signal(Enum):
    """What an alert looks at."""

    ERRORS = auto()
    LATENCY = auto()
    SATURATION = auto()


_WORDS = {
    Signal.ERRORS: re.compile(
        r"error|fail(ed|ure|ing|s\b)|exception|5xx|5\.\.|50\d|burn_?-?rate|\bslo\b|[:_]slo[:_]|[:_]sli[:_]|budget|unhandled"
        r"|dead_?letter|success_?(rate|ratio)|availability",
        re.IGNORECASE,
    ),
    Signal.LATENCY: re.compile(
        r"latenc|duration|response_?time|request_?time|elapsed|seconds_bucket|_ms_bucket|histogram_quantile|apdex|slow"
        r"|\bp9\d|TargetResponseTime",
        re.IGNORECASE,
    ),
    Signal.SATURATION: re.compile(
        r"cpu|memory|\bmem_|queue|backlog|pending|\blag\b|_lag|saturat|utili[sz]ation|throttl|pool|connections|disk"
        r"|filesystem|volume|in_?_?(progress|flight)|quota|oldest|depth|load1|full\b|exhaust|capacity",
        re.IGNORECASE,
    ),
}
_STATUS = re.compile(r"(status|code|outcome|result|class|state)", re.IGNORECASE)
_BAD_STATUS = re.compile(r"5|err|fail|exception|unavailable|internal", re.IGNORECASE)
_SHOWN = 3
_MAX_DEPTH = 5
"""How many recording rules may build on each other."""


@dataclass
class _Signals:
    found: dict[Signal | None, list[Evidence]] = field(default_factory=dict)

    def add(self, text: str, evidence: Evidence) -> None:
        seen: list[Signal | None] = [signal for signal, words in _WORDS.items() if words.search(text)]
        for signal in seen or [None]:
            self.found.setdefault(signal, []).append(evidence)

    def of(self, signal: Signal | None) -> tuple[Evidence, ...]:
        return tuple(self.found.get(signal, ())[:_SHOWN])


def coverage(found: Monitoring) -> Iterator[AlertCoverage]:
    """One for each service of a tree with alerts; of one without, for the first service alone."""
    recorded = {r.name: r.expression for facts in found.files.values() for r in facts.recordings}
    alerts = [
        (path, alert)
        for path, facts in found.files.items()
        for alert in facts.alerts
        if found.role(path) is Role.PROD and not is_heartbeat(alert)
    ]
    others = [*_objectives(found), *_monitors(found)]
    for service in found.gathered.services:
        if alerts or others:
            yield _covered(service, alerts, others, recorded, found)
        elif found.homes.is_first(service.root):
            signs, unread = tuple(_signs(found, service)), tuple(_unread(found))
            yield AlertCoverage(service.root, service.location, Role.PROD, unread=unread, signs=signs)


def _covered(
    service: ServiceRoot,
    alerts: list[tuple[str, AlertRule]],
    others: list[tuple[str, Evidence]],
    recorded: Mapping[str, str],
    found: Monitoring,
) -> AlertCoverage:
    signals = _Signals()
    places: list[tuple[bool, Location]] = []
    for path, alert in alerts:
        root = found.named(alert)
        if root not in (None, service.root):
            continue
        span = alert.expressions[0][1] if alert.expressions else alert.span
        places.append((found.home(path, alert) != service.root, span.at(path)))
        signals.add(_looks_at(alert, recorded), span.evidence(path, alert.name))
    for text, evidence in others:
        places.append((True, evidence.location))
        signals.add(text, evidence)
    return AlertCoverage(
        service.root,
        min(places)[1] if places else service.location,
        Role.PROD,
        signals.of(Signal.ERRORS),
        signals.of(Signal.LATENCY),
        signals.of(Signal.SATURATION),
        signals.of(None),
        tuple(_unread(found)),
    )


def _looks_at(alert: AlertRule, recorded: Mapping[str, str]) -> str:
    """What its name and its queries say, in one text."""
    return " ".join([alert.name, *(_words(expression, recorded, 0) for expression, _ in alert.expressions)])


def _words(expression: str, recorded: Mapping[str, str], depth: int) -> str:
    said = ["histogram_quantile"] if "histogram_quantile" in expression else []
    read = promql.selectors(expression)
    for selector in read:
        said.append(selector.metric or "")
        said += ("error" for m in selector.matchers if _STATUS.search(m.label) and _BAD_STATUS.search(m.value))
        behind = recorded.get(selector.metric or "")
        if behind is not None and depth < _MAX_DEPTH:
            said.append(_words(behind, recorded, depth + 1))
    return " ".join(said) if read else expression


def _objectives(found: Monitoring) -> Iterator[tuple[str, Evidence]]:
    for path, facts in found.files.items():
        for objective in facts.objectives:
            text = objective.text if _WORDS[Signal.LATENCY].search(objective.text) else f"{objective.text} error"
            yield text, objective.span.evidence(path, f"the objective {objective.name}")


def _monitors(found: Monitoring) -> Iterator[tuple[str, Evidence]]:
    for path, facts in sorted(found.gathered.context.files.items()):
        for monitor in facts.monitors if isinstance(facts, PlatformFacts) else ():
            yield monitor.text, monitor.span.evidence(path, f"the alarm {monitor.name}")


def _unread(found: Monitoring) -> Iterator[Evidence]:
    for path, facts in found.files.items():
        if facts.is_template:
            yield Evidence(Location.whole_file(path), "rules that are rendered before they are used")


def _signs(found: Monitoring, service: ServiceRoot) -> Iterator[Evidence]:
    """What shows that this tree runs the service, and not only makes it."""
    for path, facts in found.files.items():
        if facts.queries or facts.routings:
            yield Evidence(Location.whole_file(path), "dashboards or routes are kept here")
            return
    deployment = found.gathered.deployments.get(service.name)
    for workload in deployment.workloads if deployment is not None else ():
        if workload.platform is Platform.KUBERNETES and workload.role is Role.PROD:
            yield Evidence(workload.location, "this is how it is run")
            return
