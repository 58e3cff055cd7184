"""What is read of Prometheus, Alertmanager and Grafana.

Field names: prometheus.io/docs/prometheus/latest/configuration; prometheus.io/docs/alerting/latest/configuration;
prometheus-operator.dev/docs/api-reference; grafana.com/docs/grafana/latest/alerting/set-up.
"""

from __future__ import annotations

from enum import StrEnum

import msgspec

from assay.scanner.readers.span import Span


class Matcher(msgspec.Struct, frozen=True, array_like=True):
    """A condition on one label of an alert; `operator` is `=`, `!=`, `=~` or `!~`."""

    label: str
    operator: str
    value: str


class Annotation(msgspec.Struct, frozen=True, array_like=True):
    """A text that an alert carries to whoever reads it."""

    name: str
    text: str
    span: Span


class AlertRule(msgspec.Struct, frozen=True, array_like=True):
    """A rule that alerts. `waits` is how long its condition has to hold, as written; `keeps` how long it fires on.

    `labels` are the group's too. `expressions` are all of its queries: Grafana splits a rule into several.
    """

    name: str
    span: Span
    expressions: tuple[tuple[str, Span], ...]
    waits: str | None
    waits_span: Span | None
    keeps: str | None
    labels: tuple[tuple[str, str], ...]
    annotations: tuple[Annotation, ...]
    is_grafana: bool = False


class Recording(msgspec.Struct, frozen=True, array_like=True):
    """A rule that keeps the result of a query under a name."""

    name: str
    expression: str
    span: Span


class Query(msgspec.Struct, frozen=True, array_like=True):
    """A query of a dashboard."""

    expression: str
    span: Span


class Held(StrEnum):
    """How a receiver knows where to send."""

    NOTHING = "nothing"
    VALUE = "a value"
    SECRET = "a secret in plain text"
    PLACEHOLDER = "text to be replaced"
    TEMPLATED = "text that is filled in before it is used"
    REFERENCE = "a reference to a secret"


class Integration(msgspec.Struct, frozen=True, array_like=True):
    """One way in which a receiver tells people or programs, such as `slack`; `span` is where its address stands."""

    kind: str
    held: Held
    span: Span


class Receiver(msgspec.Struct, frozen=True, array_like=True):
    """Who is told, by name."""

    name: str
    span: Span
    integrations: tuple[Integration, ...]


class Route(msgspec.Struct, frozen=True, array_like=True):
    """A node of the tree that decides who is told. `groups` is None where alerts are grouped as above."""

    receiver: str | None
    span: Span
    groups: tuple[str, ...] | None
    matchers: tuple[Matcher, ...]
    goes_on: bool
    routes: tuple[Route, ...]


class Routing(msgspec.Struct, frozen=True, array_like=True):
    """The routes and receivers of one configuration. `is_part` is set where others come beside it: those of a
    namespace, or Grafana's, which may be made by hand too.
    """

    span: Span
    route: Route | None
    receivers: tuple[Receiver, ...]
    is_part: bool = False


class Objective(msgspec.Struct, frozen=True, array_like=True):
    """What stands for alerts without being one: a service-level objective from which a generator makes them, a monitor
    in Terraform. `text` is what it measures.
    """

    name: str
    span: Span
    text: str


class MonitoringFacts(msgspec.Struct, frozen=True, array_like=True, tag="monitoring"):
    """What one file holds. `runbooks` are pages that alerts link to, each with its line. `is_template` is set for one
    that becomes YAML only when it is rendered: its rules are unknown.
    """

    alerts: tuple[AlertRule, ...] = ()
    recordings: tuple[Recording, ...] = ()
    queries: tuple[Query, ...] = ()
    routings: tuple[Routing, ...] = ()
    objectives: tuple[Objective, ...] = ()
    runbooks: tuple[tuple[str, int], ...] = ()
    is_template: bool = False

    def joined(self, other: MonitoringFacts) -> MonitoringFacts:
        """Both together."""
        return MonitoringFacts(
            self.alerts + other.alerts,
            self.recordings + other.recordings,
            self.queries + other.queries,
            self.routings + other.routings,
            self.objectives + other.objectives,
            self.runbooks + other.runbooks,
            self.is_template or other.is_template,
        )
