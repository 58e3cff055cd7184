"""OpenAPI descriptions of an API, and how far they are true."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class DescriptionSource(StrEnum):
    """Where the description of an API comes from."""

    GENERATED = "generated"
    """The framework, or a library, makes it of the code while it runs."""
    EXPORTED = "exported"
    """It isn't served, but code of the project makes it: for a file, or for those who are let in."""
    COMMITTED = "committed"
    """A document in the tree describes most of its routes."""
    SERVED = "served"
    """A document of the tree is where its routes come from."""
    SWITCHED_OFF = "switched off"
    """The framework would make one, and is told not to."""
    CONFIGURED = "configured"
    """A setting that is empty by default decides whether there is one."""
    UNREAD = "unread"
    """A document in the tree, of which it can't be told what it describes."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class ApiDescription:
    """How one application describes its API. `operations` counts the JSON operations it has.

    `excuse` says why none is asked for.
    """

    name: str
    source: DescriptionSource
    operations: int
    location: Location
    role: Role
    evidence: tuple[Evidence, ...] = ()
    excuse: str | None = None

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


@dataclass(frozen=True, slots=True)
class DescribedOperation:
    """An operation in a committed OpenAPI document, in the code, or in both.

    `document` is the document's path. `differences` are what the two say differently, in words. `excuse` says why they
    need not agree, `doubt` what makes it uncertain that they differ.
    """

    method: str
    path: str
    document: str
    location: Location
    role: Role
    differences: tuple[str, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    excuse: str | None = None
    doubt: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path} in {self.document}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True, slots=True)
class DocumentedOperation:
    """An operation that a generated description shows; or all those of a service at once, where most have no words:
    that is one thing to decide, and none for each of them.

    `text` is what says in words what it does; None where nothing but its name does. `excuse` says why it isn't shown,
    or needs no words of its own.
    """

    name: str
    handler: str
    location: Location
    role: Role
    text: Evidence | None = None
    is_placeholder: bool = False
    """The text stands for one that is still to be written."""
    excuse: str | None = None
    is_whole_api: bool = False
    bare: int = 0
    """Of the whole API: how many operations have no words, of `total`."""
    total: int = 0
    evidence: tuple[Evidence, ...] = ()
    """Of the whole API: some that have none."""

    @property
    def subject_id(self) -> str:
        return f"{self.name} {self.handler}".strip()

    @property
    def label(self) -> str:
        return self.name
