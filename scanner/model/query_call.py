"""Calls that run a query, how often one run of the code around them does so, and relations loaded row by row."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Repetition(StrEnum):
    """How often a query runs while the code around it runs once."""

    ONCE = "once"
    FEW = "few times"
    """Over a few things that are written in the code or in the configuration."""
    CHUNKS = "once for each chunk"
    """Over parts of many rows: pages, batches."""
    UNTIL_FOUND = "until it is found"
    """The loop ends when the query answers."""
    KEPT = "once for each key"
    """The answers are kept, and not asked for again."""
    OTHER_TABLES = "once for each table"
    """Every time of another table, so that no one query can ask for all."""
    EACH_ROW = "once for each row"
    EACH_INPUT = "once for each item that a client sends"
    EACH_KEY = "once for each key of a collection"
    """It looks a row up by its key, of a collection of keys."""
    UNKNOWN = "once for each element of a collection of unknown size"

    @property
    def is_open(self) -> bool:
        """Nothing in the code says how often at most."""
        return self.is_many or self is Repetition.UNKNOWN

    @property
    def is_many(self) -> bool:
        """The data, or a client, says how often."""
        return self in (Repetition.EACH_ROW, Repetition.EACH_INPUT, Repetition.EACH_KEY)


@dataclass(frozen=True, slots=True)
class QueryCall:
    """A call that runs a query, or a call in a loop of a helper that does.

    `what` is the query in words: `Label.objects.get`. `steps` lead from the loop, where there is one, to the query.
    `offline` says why no request and no job runs it.
    """

    function: str
    ordinal: int
    what: str
    location: Location
    role: Role
    repetition: Repetition
    steps: tuple[Evidence, ...] = ()
    offline: str | None = None
    is_through_helper: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.function}:query {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"
