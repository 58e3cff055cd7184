"""Health checks: the handlers that answer "are you alive?" and "are you ready?", and what they touch to answer."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class HealthPurpose(StrEnum):
    """What is asked, by the handler's path and name."""

    READINESS = "readiness"
    LIVENESS = "liveness"
    GENERAL = "general"


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """One handler that reports health.

    `dependencies` are the datastores, brokers and remote APIs it asks; `swallowed` the handlers of exceptions that
    answer 2xx all the same; `leaks` what it tells about the inside; `effects` what it writes or enqueues. `constant`
    means that it always gives the same answer. `unresolved` is what the analysis could not follow.

    `opened_only` holds the sessions that are all it touches: opened, perhaps lazily, but not seen to be used. `waits`
    are calls without a time limit. `tolerated` are handlers of exceptions that answer 2xx for one dependency while
    another's failure is reported. `versions` is what it tells about the build, `trial_writes` what it writes to a
    fixed key only to see whether writing works. `has_no_handler` means that no function of the project answers.
    """

    endpoint: Endpoint
    purpose: HealthPurpose
    dependencies: tuple[Evidence, ...] = ()
    swallowed: tuple[Evidence, ...] = ()
    leaks: tuple[Evidence, ...] = ()
    effects: tuple[Evidence, ...] = ()
    constant: bool = False
    unresolved: tuple[Evidence, ...] = ()
    opened_only: tuple[Evidence, ...] = ()
    waits: tuple[Evidence, ...] = ()
    tolerated: tuple[Evidence, ...] = ()
    versions: tuple[Evidence, ...] = ()
    trial_writes: tuple[Evidence, ...] = ()
    has_no_handler: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.endpoint.subject_id}:health"

    @property
    def label(self) -> str:
        return f"health check {self.endpoint.label}"

    @property
    def location(self) -> Location:
        return self.endpoint.location

    @property
    def role(self) -> Role:
        return self.endpoint.role
