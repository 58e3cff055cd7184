"""Functions, and calls of them by name: what a team's own rules look at where no other noun says it."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Argument:
    """One argument of a call.

    `name` is its keyword, or its place, counted from 0 and written as text, where it is given without one. `value` is
    the constant that it is, as Python spells it (`None`, `30`, `'GET'`); None where it is computed.
    """

    name: str
    value: str | None = None


@dataclass(frozen=True, slots=True)
class FunctionCall:
    """A call of a function that some rule asks for by name.

    `callee` is the dotted name of what is called, as it would be imported: `requests.get`, for a method
    `requests.Session.get`. `function` is `module:qualified.name` of the code around it and `ordinal` counts the calls
    of the callee there, from 1. `is_open` is set where `*` or `**` may bring further arguments.
    """

    callee: str
    function: str
    ordinal: int
    location: Location
    role: Role
    arguments: tuple[Argument, ...] = ()
    is_open: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.function}:{self.callee} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.callee} in {self.function}"

    def argument(self, name: str) -> Argument | None:
        """The argument of that name or place."""
        return next((a for a in self.arguments if a.name == name), None)


@dataclass(frozen=True, slots=True)
class Function:
    """A function or method that is defined in the service; found where some rule judges functions.

    `name` is `module:qualified.name`; `ordinal` counts the definitions of one name, from 1. `decorators` are dotted
    names as they would be imported, those of a method's class included.
    """

    name: str
    ordinal: int
    location: Location
    role: Role
    decorators: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    is_async: bool = False

    @property
    def subject_id(self) -> str:
        return self.name if self.ordinal == 1 else f"{self.name} {self.ordinal}"

    @property
    def label(self) -> str:
        return f"function {self.name}"
