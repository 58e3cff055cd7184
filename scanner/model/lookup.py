"""Look-ups of one object by an id that a client sent."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role

_NOT_FOUND = (401, 403, 404, 410)
"""Statuses that say that there is no such object, or that the client gets no answer to that question."""


class Absence(StrEnum):
    """What a client is answered when there is no such object."""

    STATUS = "status"
    """An answer with a status of its own, `ObjectLookup.status`; 500 where the code fails on what it was not given."""
    NULL = "null"
    """A success without an object in it."""
    NOTHING_TO_DO = "nothing to do"
    """A removal that succeeds because the object is gone anyway."""
    REPLACED = "replaced"
    """The code goes on without the object: it makes one, or answers something else."""
    UNKNOWN = "unknown"


class Reach(StrEnum):
    """Whose objects a caller gets at."""

    LIMITED = "limited"
    """Something holds the caller to what is theirs, or to what their role allows."""
    NOT_OWNED = "not owned"
    """The object belongs to nobody in particular."""
    ANYBODY = "anybody"
    """The endpoint asks nobody who they are."""
    ALL = "all"
    """Every caller gets at everybody's."""
    PERHAPS_ALL = "perhaps all"
    """Every caller gets at everybody's, which may be meant so."""


@dataclass(frozen=True, slots=True)
class ObjectLookup:
    """One object is looked up by what the path of an endpoint says.

    `name` is the endpoint's, one of them where the look-up serves several. `model` is empty where it can't be told.
    `reach_reason` says in words what `reach` rests on.
    """

    name: str
    model: str
    location: Location
    role: Role
    absence: Absence
    status: int | None
    absence_evidence: tuple[Evidence, ...]
    reach: Reach
    reach_reason: str
    reach_evidence: tuple[Evidence, ...]

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"look-up by {self.name}"

    @property
    def what(self) -> str:
        """The object in words."""
        return self.model or "object"

    @property
    def goes_on_without(self) -> bool:
        """Whether the object need not be there."""
        return self.absence in (Absence.NOTHING_TO_DO, Absence.REPLACED)

    @property
    def misleads(self) -> bool:
        """Whether the answer for an object that isn't there says something else."""
        return self.absence is Absence.NULL or (self.absence is Absence.STATUS and self.status not in _NOT_FOUND)

    @property
    def answer_without(self) -> str:
        """What is answered for an object that isn't there, in words."""
        if self.absence is Absence.NULL:
            return "answers with a success and no object"
        return "fails with 500" if self.status == 500 else f"answers {self.status}"
