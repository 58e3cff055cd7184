"""Metrics that code keeps, and those that alerts and dashboards ask for."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Cardinality(Enum):
    """How many values a label takes."""

    FEW = auto()
    ANY = auto()
    UNSURE = auto()
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class MetricLabel:
    """A value that tells series of a metric apart: a label, a tag, a part of the metric's name.

    `said` is what the value comes from, in a word, `source` the place, where it isn't the value's own.
    """

    function: str
    metric: str
    name: str
    ordinal: int
    location: Location
    role: Role
    cardinality: Cardinality
    said: str
    source: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.metric}:{self.name}:{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.name} of {self.metric}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.name} is {self.said or 'this'}")


@dataclass(frozen=True, slots=True)
class QueriedMetric:
    """The name of a metric in an alert or on a dashboard, where its first word is one of the service's own.

    `made` is what makes the metric, `perhaps` says why something out of sight may.
    """

    service_root: str
    path: str
    name: str
    location: Location
    role: Role
    is_alert: bool
    made: Evidence | None = None
    perhaps: str = ""

    @property
    def subject_id(self) -> str:
        return f"{self.path}:{self.name}"

    @property
    def label(self) -> str:
        return f"query of {self.name}"

    @property
    def place(self) -> Evidence:
        return Evidence(
            self.location, f"an alert asks for {self.name}" if self.is_alert else f"a panel shows {self.name}"
        )


@dataclass(frozen=True, slots=True)
class OutcomeMetrics:
    """Whether a service counts what it is there for. `changes` are endpoints that change something, `names` those of
    all metrics that the code keeps, `outcomes` where it counts what its users would call by name, `technical` where it
    counts anything.
    """

    service_root: str
    location: Location
    role: Role
    changes: tuple[Evidence, ...] = ()
    names: tuple[str, ...] = ()
    outcomes: tuple[Evidence, ...] = ()
    technical: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return "metrics of outcomes"

    @property
    def label(self) -> str:
        return self.subject_id
