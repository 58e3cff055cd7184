"""Values that expressions may have in production, and what becomes of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum, IntEnum

from assay.scanner.configuration.defaults import UNKNOWN
from assay.scanner.configuration.naming import is_production
from assay.scanner.linker.project import last_part
from assay.scanner.linker.scopes import ClassSymbol, FunctionSymbol
from assay.scanner.linker.values import External, Instance, Literal
from assay.scanner.model.place import Evidence, Location
from assay.scanner.readers.python import form

_MOST = 8
PARSERS = frozenset({"bool", "boolean", "strtobool", "str2bool", "get_bool", "getbool", "asbool", "as_bool"})
"""Functions, by last name, that make a yes or no of text."""
_TRUE = frozenset({"true", "on", "ok", "y", "yes", "1", "t"})


class Stand(Enum):
    """What stands for values that are no constants."""

    ENVIRONMENT = "the name of the environment"
    OBJECT = "an object"
    BYTES = "bytes that are written out"


class Firmness(IntEnum):
    """What a value hangs on."""

    FIXED = 0
    DEPLOYED = 1
    """On being in production."""
    DEFAULT = 2
    """On nobody setting it otherwise: it is the default of a variable, a parameter, a field."""


@dataclass(frozen=True, slots=True)
class Meaning:
    """One value that an expression has in production: a constant, an `External` for an object of a library, a `Stand`
    or UNKNOWN. `is_certain` is off where it is one of several, and which one can't be told.
    """

    value: object
    evidence: Evidence
    firmness: Firmness = Firmness.FIXED
    is_certain: bool = True

    def given(self, value: object) -> Meaning:
        """The same with what was made of the value; what is made of an unknown is unknown."""
        return self if self.value is UNKNOWN else replace(self, value=value)

    def resting_on(self, firmness: Firmness) -> Meaning:
        return self if firmness <= self.firmness else replace(self, firmness=firmness)


Meanings = tuple[Meaning, ...]


@dataclass(frozen=True, slots=True)
class Items:
    """What a mapping holds under one key: nothing where `found` is empty and nothing `is_open`."""

    found: Meanings = ()
    is_open: bool = False


@dataclass(frozen=True, slots=True)
class Taken:
    """Whether production runs a place: None where that can't be told. `evidence` is the test that keeps it from it."""

    truth: bool | None
    firmness: Firmness = Firmness.FIXED
    evidence: Evidence | None = None
    test: form.Expr | None = None


def merged(found: list[Meaning]) -> Meanings:
    """Each value once, certain ones before others."""
    by_value: dict[object, Meaning] = {}
    for meaning in sorted(found, key=lambda m: not m.is_certain):
        key = (type(meaning.value), meaning.value)
        by_value.setdefault(key, meaning)
    return tuple(by_value.values())[:_MOST]


def as_default(meaning: Meaning, place: Location, unless: str) -> Meaning:
    """The value as what holds `unless` something is set."""
    if meaning.value is UNKNOWN:
        return replace(meaning, firmness=Firmness.DEFAULT)
    value = "an object" if isinstance(meaning.value, Stand | External) else repr(meaning.value)
    return replace(meaning, evidence=Evidence(place, f"it is {value} {unless}"), firmness=Firmness.DEFAULT)


def truth_of(value: object) -> bool | None:
    """Whether the value counts as true."""
    if value is UNKNOWN:
        return None
    return True if isinstance(value, Stand | External) else bool(value)


def negated(meaning: Meaning) -> Meaning:
    """`not value`."""
    truth = truth_of(meaning.value)
    return replace(meaning, value=UNKNOWN) if truth is None else meaning.given(not truth)


def parsed(value: object) -> object:
    """A yes or no from text, as the libraries that read variables understand it."""
    return value.strip().lower() in _TRUE if isinstance(value, str) else value


def cast(name: str, value: object) -> object:
    """`int(value)` and `str(value)`."""
    if not isinstance(value, str | int | float):
        return UNKNOWN
    try:
        return str(value) if name == "str" else int(value)
    except ValueError:  # int("many"): the program would fail there too
        return UNKNOWN


def text_method(value: object, name: str) -> object:
    """`value.lower()` and the like."""
    if value is Stand.ENVIRONMENT:
        return value
    made: object = getattr(value, name)() if isinstance(value, str) else UNKNOWN
    return made


def comparison(op: str, one: object, other: object) -> object:
    """`one == other`, `one in other` and their opposites."""
    if one is Stand.ENVIRONMENT or other is Stand.ENVIRONMENT:
        return _compared_environment(op, other if one is Stand.ENVIRONMENT else one)
    if UNKNOWN in (one, other) or isinstance(one, Stand) or isinstance(other, Stand):
        return UNKNOWN
    if op in ("==", "!=", "is", "is not"):
        return (one == other) is (op in ("==", "is"))
    if op in ("in", "not in") and isinstance(other, tuple):
        return (one in other) is (op == "in")
    return UNKNOWN


def compared_scheme(op: str, one: object, other: object) -> bool | None:
    """`scheme == "https"`, `"https://" in url`: where a site is served by https at all, this is so."""
    scheme = next((v.rstrip(":/") for v in (one, other) if isinstance(v, str) and v.startswith("http")), None)
    if scheme not in ("http", "https"):
        return None
    return (scheme == "https") is (op in ("==", "in", "is"))


def _compared_environment(op: str, text: object) -> object:
    """`ENV == "production"`, `ENV in ("local", "test")`: so far as the texts say which environments they are."""
    texts = text if isinstance(text, tuple) else (text,)
    kinds = [is_production(t) for t in texts]
    if op in ("==", "is", "in") or op in ("!=", "is not", "not in"):
        is_positive = op in ("==", "is", "in")
        if True in kinds:
            return is_positive
        if None not in kinds:
            return not is_positive
    return UNKNOWN


def named(value: object) -> object:
    """What stands for an object of a library or of the project; UNKNOWN for what can't be told."""
    match value:
        case External(name=name):
            return External(name) if _is_constant(name) else UNKNOWN
        case Instance(cls=None, type_name=name):
            return External(name) if is_made(name) else UNKNOWN
        case Instance() | ClassSymbol() | FunctionSymbol() | Literal():
            return Stand.OBJECT
    return UNKNOWN


def _is_constant(name: str) -> bool:
    """Whether a library's name reads like a constant, a class or a function, and like no setting."""
    return last_part(name)[:1].isupper() and not name.startswith("django.conf.") and "config" not in name.lower()


def is_made(name: str) -> bool:
    """Whether a call of that name makes an object, and gives no yes or no."""
    last = last_part(name)
    return last.lstrip("_")[:1].isupper() or "context" in last


def last_of(parts: Sequence[Items]) -> Items:
    """Mappings merged in this order: the last one that has the key wins."""
    is_open = False
    for part in reversed(parts):
        is_open = is_open or part.is_open
        if part.found:
            return Items(part.found, is_open)
    return Items((), is_open)


def any_of(parts: Sequence[Items]) -> Items:
    """One of several mappings, and which one can't be told."""
    found = [m for part in parts for m in part.found]
    if len(parts) > 1:
        found = [replace(m, is_certain=False) for m in found]
    return Items(tuple(found), any(part.is_open for part in parts))
