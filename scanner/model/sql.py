"""A place where SQL is executed or built as text, and what its text consists of."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.origin import Origin
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.site import Flow


class Position(StrEnum):
    """What SQL expects at the place that a hole fills."""

    VALUE = "value"
    QUOTED_VALUE = "quoted value"
    IDENTIFIER = "identifier"
    CLAUSE = "clause"
    UNKNOWN = "unknown"

    @property
    def is_value(self) -> bool:
        """A bound parameter could stand there."""
        return self in (Position.VALUE, Position.QUOTED_VALUE)


class TextKind(StrEnum):
    """How a statement's text comes about."""

    CONSTANT = "constant"
    EXPRESSION = "expression"
    """Constructs of a library, which binds values and quotes names itself."""
    TEMPLATE = "template"
    """Literal SQL with holes."""
    GIVEN = "given"
    """The whole text comes from elsewhere: a parameter, an attribute, a call that could not be followed."""


@dataclass(frozen=True, slots=True)
class SqlHole:
    """A part of the text that isn't literal. `name` is the expression in the hole, in words."""

    name: str
    position: Position
    origin: Origin
    location: Location
    trail: tuple[Evidence, ...] = ()
    """From where the value comes to where it is put into the text."""


@dataclass(frozen=True, slots=True)
class SqlText:
    """A statement's text, over all the forms that it can have where it is used."""

    kind: TextKind
    holes: tuple[SqlHole, ...] = ()
    is_schema_change: bool = False
    """It is CREATE, ALTER, DROP or the like, in all its forms."""


@dataclass(frozen=True, slots=True)
class SqlSite:
    """One execution of SQL, or one construct that takes SQL as text.

    `function` is `module:qualified.name` of the code around it and `ordinal` counts the sites in that function, from
    1. `offline` says why no client can reach it (a migration, a command); None for code of the running service.
    `certain` is False where only some versions of the library, or only some inputs, take the argument as SQL. `flows`
    are the ways on which a client's value becomes part of the text; `is_followed` says that they are all there are.
    """

    function: str
    ordinal: int
    callee: str
    driver: str
    location: Location
    role: Role
    text: SqlText
    parameterised: bool = False
    offline: str | None = None
    certain: bool = True
    flows: tuple[Flow, ...] = ()
    is_followed: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.function}#sql{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"

    @property
    def certain_flows(self) -> tuple[Flow, ...]:
        """The flows of which nothing is in doubt."""
        return tuple(flow for flow in self.flows if flow.doubt is None)

    @property
    def is_built_by_library(self) -> bool:
        return self.text.kind is TextKind.EXPRESSION

    @property
    def is_constant(self) -> bool:
        return self.text.kind is TextKind.CONSTANT

    @property
    def is_given_whole(self) -> bool:
        """Nothing of the text is written where it is executed."""
        return self.text.kind is TextKind.GIVEN

    @property
    def remote_holes(self) -> tuple[SqlHole, ...]:
        """Where a client's text becomes part of the statement."""
        return tuple(h for h in self.text.holes if h.origin is Origin.REMOTE)

    @property
    def unsettled_holes(self) -> tuple[SqlHole, ...]:
        """Where text of an origin that can't be told becomes part of the statement."""
        return tuple(h for h in self.text.holes if not h.origin.is_harmless and h.origin is not Origin.REMOTE)

    @property
    def formatted_values(self) -> tuple[SqlHole, ...]:
        """Free text put where a bound value belongs."""
        return tuple(h for h in self.text.holes if h.position.is_value and h.origin.rank < Origin.OPERATOR.rank)

    @property
    def configured_values(self) -> tuple[SqlHole, ...]:
        """Configuration put where a bound value belongs."""
        return tuple(h for h in self.text.holes if h.position.is_value and h.origin is Origin.OPERATOR)

    @property
    def proof(self) -> tuple[Evidence, ...]:
        """Why the holes are harmless, or the call itself where there are none."""
        shown = tuple(
            Evidence(h.location, f"{h.name}: {h.origin.value} in the position of {_article(h.position)}")
            for h in self.text.holes
        )
        return shown or (Evidence(self.location, f"{self.driver}: {self.text.kind.value} text"),)


def trail_of(holes: tuple[SqlHole, ...]) -> tuple[Evidence, ...]:
    """The evidence of some holes, each place once, in order."""
    return tuple(dict.fromkeys(e for h in holes for e in h.trail))


def _article(position: Position) -> str:
    return f"{'an' if position.value[0] in 'aeiou' else 'a'} {position.value}"
