"""Whether the tests of a service are run before a change is merged, and whether its coverage may fall."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class TestSuite:
    """The tests of one service. Each tuple but the first holds commands of CI that run them.

    `runs` are before a change is merged, and their failure stops it; `tolerated` are runs whose failure doesn't, with
    the reason; `other_runs` are at other times. `measured` is what a report of the tests' results says, `stale` that it
    is older than the code. `has_ci` says that the tree holds a pipeline at all, `out_of_sight` where one goes on
    outside.
    """

    service_root: str
    location: Location
    role: Role
    tests: tuple[Evidence, ...] = ()
    runs: tuple[Evidence, ...] = ()
    tolerated: tuple[Evidence, ...] = ()
    other_runs: tuple[Evidence, ...] = ()
    measured: Evidence | None = None
    stale: Evidence | None = None
    has_ci: bool = False
    out_of_sight: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return "tests of the service"


@dataclass(frozen=True, slots=True)
class CoverageLimit:
    """A limit below which a command fails: in percent, where it is set, and what enforces it."""

    percent: float
    limit: Evidence
    enforced: Evidence


@dataclass(frozen=True, slots=True)
class CoverageGate:
    """What keeps the coverage of one service from falling.

    `limits` are enforced before a change is merged. `doubtful` are scripts of one's own, and limits that are relative
    to the base. `unused` is a limit that is configured, and that nothing in CI reports against. `measured` are runs
    that only measure. `has_ci` says that the tree holds a pipeline at all.
    """

    service_root: str
    location: Location
    role: Role
    limits: tuple[CoverageLimit, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    unused: CoverageLimit | None = None
    measured: tuple[Evidence, ...] = ()
    has_ci: bool = False
    has_tests: bool = True

    @property
    def subject_id(self) -> str:
        return self.service_root

    @property
    def label(self) -> str:
        return "coverage of the service"

    @property
    def highest(self) -> CoverageLimit | None:
        return max(self.limits, key=lambda limit: limit.percent, default=None)
