"""Circuit breakers: what refuses calls of a dependency at once after some have failed."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class CircuitBreaker:
    """One place that makes a breaker. `protects` is what goes through it.

    What keeps it from doing its work, each with its place: `forgotten`, it is made anew for each call; `swallowed`,
    failures are caught before it sees them; `unnoticed`, answers with errors count as successes; `surfacing`, nothing
    on the way to an endpoint answers for it while it is open. `answered` shows what does. `offline` says what runs it
    by hand.
    """

    function: str
    ordinal: int
    library: str
    location: Location
    role: Role
    protects: tuple[Evidence, ...] = ()
    forgotten: Evidence | None = None
    swallowed: Evidence | None = None
    unnoticed: Evidence | None = None
    surfacing: Evidence | None = None
    answered: Evidence | None = None
    offline: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}:circuit breaker {self.ordinal}"

    @property
    def label(self) -> str:
        return f"circuit breaker {self.ordinal} in {self.function}"

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"a circuit breaker of {self.library}")
