"""What can be asked of a noun: its public attributes and properties, as far as they hold what has a name."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum, StrEnum
from functools import cache

from assay.scanner.model.call import FunctionCall
from assay.scanner.model.service import Service, parts_by_type
from assay.scanner.model.subject import noun_of

__all__ = ["Attribute", "Kind", "attributes_of", "found_attribute", "nouns"]

_HIDDEN = frozenset({"subject_id"})
"""Identities are the engine's own, and may change with it."""
_ALIASES: Mapping[tuple[type, str], str] = {(FunctionCall, "call"): "callee"}


class Kind(Enum):
    """What an attribute holds."""

    FLAG = "true or false"
    NUMBER = "a number"
    TEXT = "text"
    CHOICE = "one of"
    PART = "a thing with attributes of its own"


@dataclass(frozen=True, slots=True)
class Attribute:
    """`is_many`: it holds any number of them; `choices` are the values of a CHOICE, `part` is the type of a PART."""

    name: str
    kind: Kind
    is_many: bool = False
    is_optional: bool = False
    choices: tuple[str, ...] = ()
    part: type | None = None

    def __str__(self) -> str:
        """What it holds, for whoever writes a rule."""
        one = {Kind.CHOICE: f"one of {', '.join(self.choices)}", Kind.PART: ""}.get(self.kind, self.kind.value)
        if self.part is not None:
            one = "{" + ", ".join(attributes_of(self.part)) + "}"
        return f"any number of: {one}" if self.is_many else f"{one}, or nothing" if self.is_optional else one


@cache
def nouns() -> Mapping[str, type]:
    """What can be judged, by its plain name: `endpoint`, `outbound call`, `SQL site`."""
    return {noun_of(noun): noun for noun in sorted((Service, *parts_by_type()), key=lambda noun: noun.__name__)}


def found_attribute(noun: type, name: str) -> Attribute | None:
    """The attribute of that name; of one that holds many, the name for one of them will do (`tag` for `tags`)."""
    known = attributes_of(noun)
    plural = known.get(f"{name}s")
    return known.get(_ALIASES.get((noun, name), name)) or (plural if plural is not None and plural.is_many else None)


@cache
def attributes_of(noun: type) -> Mapping[str, Attribute]:
    """By name, in the order in which the noun has them; what holds something else (a mapping, say) is left out."""
    assert is_dataclass(noun)
    hints = {field.name: typing.get_type_hints(noun)[field.name] for field in fields(noun)}
    for name, member in inspect.getmembers(noun, lambda member: isinstance(member, property)):
        hints[name] = typing.get_type_hints(member.fget)["return"]
    found = (_attribute(name, hint) for name, hint in hints.items() if not name.startswith("_") and name not in _HIDDEN)
    return types.MappingProxyType({attribute.name: attribute for attribute in found if attribute is not None})


def _attribute(name: str, hint: object) -> Attribute | None:
    hint, is_optional = _without_none(hint)
    arguments = typing.get_args(hint)
    is_many = typing.get_origin(hint) is tuple and arguments[1:] == (...,)
    item = arguments[0] if is_many else hint
    if not isinstance(item, type):
        return None
    if issubclass(item, StrEnum):
        return Attribute(name, Kind.CHOICE, is_many, is_optional, choices=tuple(member.value for member in item))
    if is_dataclass(item):
        return Attribute(name, Kind.PART, is_many, is_optional, part=item)
    kind = {bool: Kind.FLAG, int: Kind.NUMBER, float: Kind.NUMBER, str: Kind.TEXT}.get(item)
    return Attribute(name, kind, is_many, is_optional) if kind is not None else None


def _without_none(hint: object) -> tuple[object, bool]:
    if typing.get_origin(hint) not in (typing.Union, types.UnionType):
        return hint, False
    members = [member for member in typing.get_args(hint) if member is not type(None)]
    return (members[0], True) if len(members) == 1 else (hint, True)
