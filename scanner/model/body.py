"""What clients send in bodies: how it is validated, and what it is copied into."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class RequestBody:
    """The body that a handler gets, under the name of its first endpoint.

    `validated` is what holds it against a schema. `unchecked` are fields that are used, or read as if they were surely
    there, and that nothing looks at before; of `half_checked` ones code only asks whether they are there. `checks` are
    the checks by hand, `compared` what is only compared or searched for, `forwarded` what goes to another service.
    `is_open` says that it is declared with a type that lets everything through, `is_text` that its fields are texts
    whatever is sent, as in a form; `breaks` that the handler fails where a field is missing. `trusted` is where its
    sender proves to be the service that it is meant for.
    """

    name: str
    location: Location
    role: Role
    is_read: bool = True
    is_open: bool = False
    is_text: bool = False
    changes_something: bool = True
    breaks: bool = False
    trusted: Evidence | None = None
    validated: tuple[Evidence, ...] = ()
    unchecked: tuple[Evidence, ...] = ()
    half_checked: tuple[Evidence, ...] = ()
    checks: tuple[Evidence, ...] = ()
    compared: tuple[Evidence, ...] = ()
    forwarded: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class BulkAssignment:
    """A place where many fields that a client sends become columns of a row: a call, or a schema that writes rows.

    `target` is the model. `unlimited` is where every field is taken over, whatever a client sends, `inner` where a
    function that is called there does so, `everything` where a schema takes every column of its table but a few.
    `rights` are fields that give a client rights, `owners` those that say whose the row is; `checked` are such that
    code of the schema looks at. `limits` say which fields there are, `unknown` why that can't be told. `only_admins`
    may call it, or `only_entitled` callers with some right. `is_stored` is False where the object is no row.
    """

    name: str
    location: Location
    role: Role
    target: str = ""
    unlimited: Evidence | None = None
    inner: Evidence | None = None
    everything: Evidence | None = None
    unknown: Evidence | None = None
    rights: tuple[Evidence, ...] = ()
    owners: tuple[Evidence, ...] = ()
    checked: tuple[Evidence, ...] = ()
    limits: tuple[Evidence, ...] = ()
    only_admins: bool = False
    only_entitled: bool = False
    is_stored: bool = True

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def copying(self) -> tuple[Evidence, ...]:
        """Where every field is taken over, from the outside inwards."""
        return tuple(evidence for evidence in (self.unlimited, self.inner) if evidence is not None)

    @property
    def label(self) -> str:
        """The schema's or function's name."""
        return self.name.rpartition(":")[2].partition(" ")[0]


@dataclass(frozen=True, slots=True)
class ResponseShape:
    """The fields that endpoints answer with, as one schema or serializer declares them.

    `name` is the schema's, with its module. `endpoints` are those that answer with it. `shown` are fields with a stored
    credential: a password or its hash, a key, a token of a table's row. `issued` are credentials that only the calls
    which make them answer with. `doubtful` are fields named like a credential that may be none. `kept` are credentials
    that it takes or stores and doesn't show. `unresolved` says why its fields can't be told. `hands_out` says that
    clients get their tokens by it.
    """

    name: str
    location: Location
    role: Role
    endpoints: tuple[str, ...] = ()
    shown: tuple[Evidence, ...] = ()
    issued: tuple[Evidence, ...] = ()
    doubtful: tuple[Evidence, ...] = ()
    kept: tuple[Evidence, ...] = ()
    unresolved: Evidence | None = None
    hands_out: bool = False

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name.rpartition(":")[2]
