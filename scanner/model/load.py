"""Whether anybody knows what load a service bears: scenarios of load tests, and benchmarks."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class LoadTesting:
    """The scenarios that put load on a service. `runs` are commands of CI, `measured` results that were found.

    `serves_requests` says that the service has endpoints at all.
    """

    service_root: str
    location: Location
    role: Role
    scenarios: tuple[Evidence, ...] = ()
    runs: tuple[Evidence, ...] = ()
    measured: tuple[Evidence, ...] = ()
    serves_requests: bool = True

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return "load tests of the service"


@dataclass(frozen=True, slots=True)
class Benchmarking:
    """The benchmarks of a service. `compared` are commands of CI that fail when it gets slower, `runs` are others that
    only run, `measured` results that were found.
    """

    service_root: str
    location: Location
    role: Role
    suites: tuple[Evidence, ...] = ()
    compared: tuple[Evidence, ...] = ()
    runs: tuple[Evidence, ...] = ()
    measured: tuple[Evidence, ...] = ()
    serves_requests: bool = True
    has_ci: bool = False

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return "benchmarks of the service"
