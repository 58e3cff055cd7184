"""What an endpoint does that not everybody who is signed in may do, and what has to be on record."""

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


@dataclass(frozen=True, slots=True)
class SensitiveAct:
    """Something that somebody will ask about later: who did it, when, to whom.

    `records` are where an audit record of it is written, `captures` what keeps such records by itself, `logs` the lines
    that go to the application's log instead.
    """

    what: str
    evidence: tuple[Evidence, ...]
    records: tuple[Evidence, ...]
    is_sign_in: bool = False
    captures: tuple[Evidence, ...] = ()
    logs: tuple[Evidence, ...] = ()
