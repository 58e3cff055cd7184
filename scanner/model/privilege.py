"""What an endpoint does that not everybody who is signed in may do."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence


@dataclass(frozen=True, slots=True)
class Privilege:
    """Why an endpoint is for few, and what asks who the caller is beyond that.

    `what` says in words why it is for few. `roles` are the tests of roles, permissions or scopes that the caller meets
    on the way to it; `own` is where it keeps to what belongs to the caller; `unread` are guards that may ask for more
    than a known caller, for all that can be told.
    """

    what: str
    evidence: tuple[Evidence, ...]
    roles: tuple[Evidence, ...] = ()
    own: Evidence | None = None
    unread: tuple[Evidence, ...] = ()
