"""How paths are named, which version they say, and which of two routes answers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class PathTemplate:
    """One path of the API that answers with JSON, whatever its methods.

    `verb` is a word in it that says what the method should say (`create`, `delete`), with the segment that it stands
    in; `is_action` says that this is the last segment, behind an object's id, and answers POST: an action on the object
    that no method has a name for. `may_be_thing` says that the words may name a thing as well, such as notifications of
    updates. `excuse` says why the path is named as it has to be.
    """

    name: str
    methods: tuple[str, ...]
    location: Location
    role: Role
    verb: str | None = None
    segment: str = ""
    is_action: bool = False
    may_be_thing: bool = False
    excuse: str | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


class NameStyle(StrEnum):
    """How the words of a name are joined."""

    KEBAB = "kebab-case"
    SNAKE = "snake_case"
    CAMEL = "camelCase"
    PASCAL = "PascalCase"
    MIXED = "a mixture of styles"


class NameKind(StrEnum):
    """What is named."""

    SEGMENT = "path segment"
    QUERY = "query parameter"


@dataclass(frozen=True, slots=True)
class Convention:
    """How most names of a kind are written: `count` of `total`, of which `example` is the most used one. The next style
    has `rivals`.
    """

    style: NameStyle
    count: int
    total: int
    rivals: int
    example: Evidence

    @property
    def is_clear(self) -> bool:
        """Whether no other style has more than half as many names."""
        return self.count >= 2 * self.rivals


@dataclass(frozen=True, slots=True)
class PathName:
    """A name of several words in paths or queries of an API, once, however many routes have it.

    `convention` is that of all names of its kind in the API.
    """

    name: str
    kind: NameKind
    style: NameStyle
    convention: Convention
    location: Location
    role: Role

    @property
    def subject_id(self) -> str:
        return f"{self.kind.value} {self.name}"

    @property
    def label(self) -> str:
        return f"{self.kind.value} {self.name}"


class VersionScheme(StrEnum):
    """Where a client says which version of the API it speaks."""

    PATH = "path"
    ELSEWHERE = "elsewhere"
    """In a header, a parameter, a host: for the whole application."""
    NONE = "none"
    UNKNOWN = "unknown"
    """A part of the path is only known at run time."""


@dataclass(frozen=True, slots=True)
class ApiVersion:
    """What has one answer to the question of its version: a path of an API of which most paths have one, or else the
    API as a whole.

    `versioned` of `total` paths have a version. `excuse` says why none is asked for.
    """

    name: str
    is_whole_api: bool
    scheme: VersionScheme
    location: Location
    role: Role
    versioned: int = 0
    total: int = 0
    excuse: str | None = None
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


class Precedence(StrEnum):
    """What becomes of a request that two routes match."""

    SHADOWED = "shadowed"
    """The other route takes every request that this one matches."""
    SPECIFIC_FIRST = "specific first"
    """The other one takes its few, and this one all the rest."""
    RANKED = "ranked"
    """The framework prefers the more specific one, wherever it stands."""
    SAME_HANDLER = "same handler"
    ORDER_UNKNOWN = "order unknown"
    """The other one would take every request if it came first, and which one does can't be told."""


@dataclass(frozen=True, slots=True)
class RouteOverlap:
    """A route that matches requests that another route of its application matches as well: `other` is its path.
    `is_equal` says that the two match the same requests.
    """

    method: str
    path: str
    handler: str
    other: str
    precedence: Precedence
    is_equal: bool
    location: Location
    role: Role
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path} {self.handler}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"


STYLES: Mapping[str, NameStyle] = {
    "kebab": NameStyle.KEBAB,
    "snake": NameStyle.SNAKE,
    "camel": NameStyle.CAMEL,
    "pascal": NameStyle.PASCAL,
}
"""By what a configuration calls them."""
