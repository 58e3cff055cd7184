"""How much of a workload there is, and how much each of its containers may take."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence


@dataclass(frozen=True, slots=True)
class Capacity:
    """What its manifest says of copies and of resources; None where it says nothing.

    `controller` is the kind of object that runs it (`Deployment`); empty where there are none. `autoscaler` shows
    what changes the number of copies, `least_copies` and `most_copies` between which it stays, `scales_on` by which
    resources it goes. `recreates` shows that all old copies go before the first new one comes, `may_change` an
    overlay that may say otherwise.
    """

    controller: str = ""
    memory_limit: Evidence | None = None
    cpu_request: Evidence | None = None
    autoscaler: Evidence | None = None
    least_copies: int | None = None
    scales_on: tuple[str, ...] = ()
    recreates: Evidence | None = None
    may_change: Evidence | None = None
    cpu_limit: Evidence | None = None
    keeps: Evidence | None = None
    """A volume that outlives it, which often only one can have."""
    most_copies: int | None = None


UNSTATED = Capacity()
