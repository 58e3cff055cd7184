"""What a backend is about: domains, the things in them, and their fields."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import chain, combinations, count

from benchmarks.generator.words import DOMAINS, QUALIFIERS, STATES, Words

_NOUNS_AT_A_TIME = 3
"""Small backends have several domains too."""


class Kind(StrEnum):
    """What a field holds."""

    NUMBER = "number"
    MONEY = "money"
    TEXT = "text"
    FLAG = "flag"
    TIME = "time"


PYTHON = {Kind.NUMBER: "int", Kind.MONEY: "Decimal", Kind.TEXT: "str", Kind.FLAG: "bool", Kind.TIME: "datetime"}
_NAMES = {
    Kind.NUMBER: "quantity priority attempts position duration_minutes version_number retry_count rank seats capacity",
    Kind.MONEY: "unit_price total_amount discount tax_amount shipping_cost net_value balance deposit fee commission",
    Kind.TEXT: "name title description reference email phone_number country_code currency notes external_id locale "
    "street city sku channel color tracking_code time_zone contact_name source",
    Kind.FLAG: "is_active is_default is_locked needs_review is_public is_verified is_billable has_warranty",
    Kind.TIME: "due_at starts_at ends_at confirmed_at paid_at shipped_at expires_at reviewed_at last_seen_at",
}


@dataclass(frozen=True, slots=True)
class Field:
    """A column, with its name and what it holds."""

    name: str
    kind: Kind
    nullable: bool
    indexed: bool
    length: int

    @property
    def python(self) -> str:
        return f"{PYTHON[self.kind]} | None" if self.nullable else PYTHON[self.kind]


@dataclass(frozen=True, slots=True)
class Entity:
    """A thing that is stored, with its parent if it belongs to another one."""

    domain: str
    name: str
    fields: tuple[Field, ...]
    states: tuple[str, ...]
    parent: Entity | None
    is_async: bool

    @property
    def title(self) -> str:
        return "".join(part.capitalize() for part in self.name.split("_"))

    @property
    def words(self) -> str:
        return self.name.replace("_", " ")

    @property
    def plural(self) -> str:
        if self.name.endswith("y") and self.name[-2] not in "aeiou":
            return f"{self.name[:-1]}ies"
        return f"{self.name}es" if self.name.endswith(("s", "x", "ch", "sh")) else f"{self.name}s"

    @property
    def path(self) -> str:
        return self.plural.replace("_", "-")

    def of_kind(self, *kinds: Kind) -> list[str]:
        return [f.name for f in self.fields if f.kind in kinds]

    @property
    def texts(self) -> list[str]:
        return self.of_kind(Kind.TEXT)

    @property
    def numbers(self) -> list[str]:
        return self.of_kind(Kind.NUMBER, Kind.MONEY)

    @property
    def flags(self) -> list[str]:
        return self.of_kind(Kind.FLAG)

    @property
    def times(self) -> list[str]:
        return self.of_kind(Kind.TIME)


def entities(words: Words) -> Iterator[Entity]:
    """As many as are asked for, no name twice."""
    known: dict[str, list[Entity]] = {}
    for domain, name in _names():
        peers = known.setdefault(domain, [])
        parent = words.pick(peers) if peers and words.chance(0.6) else None
        entity = Entity(domain, name, _fields(words), _states(words), parent, words.chance(0.6))
        peers.append(entity)
        yield entity


def _names() -> Iterator[tuple[str, str]]:
    pairs = ("_".join(pair) for pair in combinations(QUALIFIERS, 2))
    for qualifier in chain(("",), QUALIFIERS, pairs, (f"series_{n}" for n in count(1))):
        for start in range(0, 12, _NOUNS_AT_A_TIME):
            for domain, nouns in DOMAINS.items():
                for noun in nouns.split()[start : start + _NOUNS_AT_A_TIME]:
                    yield domain, f"{qualifier}_{noun}" if qualifier else noun


def _fields(words: Words) -> tuple[Field, ...]:
    """At least one of each kind, so that code has something to compute with."""
    fields = []
    for kind, low, high in (
        (Kind.TEXT, 2, 5),
        (Kind.NUMBER, 1, 2),
        (Kind.MONEY, 1, 2),
        (Kind.FLAG, 1, 2),
        (Kind.TIME, 1, 2),
    ):
        for name in words.some(_NAMES[kind].split(), low, high):
            nullable = kind is Kind.TIME or words.chance(0.2)
            fields.append(Field(name, kind, nullable, words.chance(0.2), words.pick((32, 64, 120, 255))))
    return tuple(fields)


def _states(words: Words) -> tuple[str, ...]:
    return tuple(words.some(STATES, 3, 6))
