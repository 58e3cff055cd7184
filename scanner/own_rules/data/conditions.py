"""What a data rule asks of a subject: conditions that hold, don't hold, or can't be told."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from assay.scanner.model.call import FunctionCall
from assay.scanner.model.patterns import Patterns

__all__ = [
    "AllOf",
    "AnyIs",
    "ArgumentGiven",
    "ArgumentIs",
    "Attributed",
    "Compared",
    "Is",
    "Matches",
    "MatchesPath",
    "There",
    "some",
]

_LONGEST = 80
"""Characters of a shown value."""


class Test(Protocol):
    """A question to a value; the answer is None where it can't be told."""

    def of(self, value: object) -> bool | None: ...


@dataclass(frozen=True, slots=True)
class There:
    """There is one: not None, not empty, not false."""

    wanted: bool

    def of(self, value: object) -> bool | None:
        return bool(value) is self.wanted

    def __str__(self) -> str:
        return "there" if self.wanted else "not there"


@dataclass(frozen=True, slots=True)
class Is:
    """It is one of some numbers, or true, or false."""

    wanted: tuple[bool | float, ...]

    def of(self, value: object) -> bool | None:
        return any(value == w and isinstance(value, bool) is isinstance(w, bool) for w in self.wanted)

    def __str__(self) -> str:
        return " or ".join(str(w).lower() if isinstance(w, bool) else f"{w:g}" for w in self.wanted)


@dataclass(frozen=True, slots=True)
class Compared:
    """A number that lies below or above a limit: `<= 100`."""

    operator: str
    limit: float

    def of(self, value: object) -> bool | None:
        if not isinstance(value, int | float):
            return False
        below, equal = value < self.limit, value == self.limit
        return {"<": below, "<=": below or equal, ">": not below and not equal, ">=": not below}[self.operator]

    def __str__(self) -> str:
        return f"{self.operator} {self.limit:g}"


@dataclass(frozen=True, slots=True)
class Matches:
    """Text that matches; what isn't there matches `!` patterns alone."""

    patterns: Patterns

    def of(self, value: object) -> bool | None:
        return self.patterns.match("" if value is None else str(value))

    def __str__(self) -> str:
        return str(self.patterns)


@dataclass(frozen=True, slots=True)
class MatchesPath:
    """A path of an API that matches; it begins with a slash, whether its framework writes that or not."""

    patterns: Patterns

    def of(self, value: object) -> bool | None:
        return self.patterns.match(f"/{str(value).lstrip('/')}")

    def __str__(self) -> str:
        return str(self.patterns)


@dataclass(frozen=True, slots=True)
class AnyIs:
    """One of many passes the test. With `!` patterns, none of them may match what is unwanted."""

    test: Test

    def of(self, value: object) -> bool | None:
        items = value if isinstance(value, tuple) else ()
        if isinstance(self.test, Matches):
            return self.test.patterns.match(*map(str, items))
        return some(self.test.of(item) for item in items)

    def __str__(self) -> str:
        return str(self.test)


@dataclass(frozen=True, slots=True)
class Attributed:
    """An attribute passes a test."""

    name: str
    test: Test

    def of(self, value: object) -> bool | None:
        return self.test.of(getattr(value, self.name))

    def instead(self, value: object) -> str:
        """What is there where it doesn't hold."""
        return f"`{self.name}` {_written(getattr(value, self.name))}"

    def __str__(self) -> str:
        return f"`{self.name}` {'has' if _is_about_parts(self.test) else 'is'} {self.test}"


@dataclass(frozen=True, slots=True)
class ArgumentGiven:
    """A call gives an argument of one of the names; whether `**` brings it can't be told."""

    names: Patterns

    def of(self, value: object) -> bool | None:
        call = _call(value)
        found = any(self.names.match(argument.name) for argument in call.arguments)
        return True if found else None if call.is_open else False

    def instead(self, value: object) -> str:
        return f"{self.names} {'may be among what `*` or `**` brings' if _call(value).is_open else 'is not given'}"

    def __str__(self) -> str:
        return f"{self.names} is given"


@dataclass(frozen=True, slots=True)
class ArgumentIs:
    """A call gives an argument whose value, as Python spells it, matches; a computed one can't be told."""

    name: str
    values: Patterns

    def of(self, value: object) -> bool | None:
        call = _call(value)
        argument = call.argument(self.name)
        if argument is None:
            return None if call.is_open else False
        return None if argument.value is None else self.values.match(argument.value)

    def instead(self, value: object) -> str:
        argument = _call(value).argument(self.name)
        if argument is None:
            return ArgumentGiven(Patterns((self.name,))).instead(value)
        return _cut(f"`{self.name}` is {'computed' if argument.value is None else argument.value}")

    def __str__(self) -> str:
        return f"`{self.name}` is {self.values}"


@dataclass(frozen=True, slots=True)
class AllOf:
    """All the conditions hold; no conditions hold always."""

    conditions: tuple[Attributed | ArgumentGiven | ArgumentIs, ...]

    def of(self, value: object) -> bool | None:
        answers = [condition.of(value) for condition in self.conditions]
        return False if False in answers else None if None in answers else True

    def instead(self, value: object) -> str:
        """What is there in place of those that don't hold, or can't be told."""
        return "; ".join(c.instead(value) for c in self.conditions if c.of(value) is not True)

    def __str__(self) -> str:
        return " and ".join(str(condition) for condition in self.conditions)


def some(answers: Iterable[bool | None]) -> bool | None:
    """Whether one is true; None where that hangs on one that can't be told."""
    known = list(answers)
    return True if True in known else None if None in known else False


def _is_about_parts(test: Test) -> bool:
    return isinstance(test.test if isinstance(test, AnyIs) else test, AllOf)


def _call(value: object) -> FunctionCall:
    assert isinstance(value, FunctionCall)
    return value


def _written(value: object) -> str:
    """A value after the name of what holds it."""
    if value is None or value in ((), ""):
        return "is empty"
    if isinstance(value, bool):
        return f"is {str(value).lower()}"
    if isinstance(value, tuple):
        if all(isinstance(item, str | int) for item in value):
            return _cut(f"is {', '.join(map(str, value))}")
        return f"has {len(value)}"
    return _cut(f"is {value}") if isinstance(value, str | int | float) else "is there"


def _cut(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
