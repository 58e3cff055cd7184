"""What was measured of a service: coverage and latencies, each with the file that says so."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role

MEASURED = frozenset({"CoverageFigure", "MeasuredTiming"})
"""Types whose subjects are only there where somebody measured: a first measurement makes nothing worse."""


@dataclass(frozen=True, slots=True)
class CoverageFigure:
    """How much of a service, or of one of its packages, its tests run: statements and, where they were measured,
    branches. Tests are left out, whose lines run by nature.

    `package` is its folder, empty for the whole service. `most` is what several partial reports could come to together.
    `unmapped` says that paths in the report lead to no file of the tree. `stale` says how much older than the code the
    report is.
    """

    service_root: str
    package: str
    location: Location
    role: Role
    statements: int
    covered: int
    branches: int
    covered_branches: int
    most: int
    evidence: tuple[Evidence, ...]
    unmapped: Evidence | None = None
    stale: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return self.package or "."

    @property
    def label(self) -> str:
        return f"coverage of {self.package}" if self.package else "coverage of the service"

    @property
    def percent(self) -> float:
        """As coverage.py counts it: branches count as much as statements."""
        return 100 * (self.covered + self.covered_branches) / max(self.statements + self.branches, 1)

    @property
    def most_percent(self) -> float:
        """The upper bound where reports are partial."""
        return 100 * self.most / max(self.statements + self.branches, 1)


class Timed(StrEnum):
    """What took that long."""

    QUERY = "query"
    REQUEST = "request"
    BENCHMARK = "benchmark"


@dataclass(frozen=True, slots=True)
class MeasuredTiming:
    """How long one thing took, in milliseconds; None for what the file doesn't tell.

    `missed` are thresholds of the tool's own that weren't kept. `endpoint` is the place of the route that was asked,
    where one matches.
    """

    subject_id: str
    service_root: str
    what: Timed
    name: str
    tool: str
    location: Location
    role: Role
    samples: int | None = None
    p95_ms: float | None = None
    mean_ms: float | None = None
    deviation_ms: float | None = None
    median_ms: float | None = None
    max_ms: float | None = None
    missed: tuple[str, ...] = ()
    endpoint: Evidence | None = None
    stale: Evidence | None = None
    is_upkeep: bool = False
    """A statement that no request sends: it defines, sets or looks after something."""

    @property
    def label(self) -> str:
        return self.name if len(self.name) <= 80 else f"{self.name[:79]}…"

    @property
    def likely_p95_ms(self) -> float | None:
        """The measured one, or that of a normal distribution with this mean and deviation."""
        if self.p95_ms is not None or self.mean_ms is None or self.deviation_ms is None:
            return self.p95_ms
        return self.mean_ms + 1.645 * self.deviation_ms

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What the file says of it, and the route."""
        figures = (
            ("p95", self.p95_ms),
            ("mean", self.mean_ms),
            ("deviation", self.deviation_ms),
            ("median", self.median_ms),
            ("max", self.max_ms),
        )
        said = ", ".join(f"{name} {value:.4g} ms" for name, value in figures if value is not None)
        counted = f" over {self.samples:,} samples" if self.samples is not None else ""
        own = Evidence(self.location, f"{self.tool}: {said}{counted}")
        return (own, self.endpoint) if self.endpoint is not None else (own,)
