"""A setting: a named value that the service is configured by, and where it comes from."""

from __future__ import annotations

import re
from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role

MASK = "***"
"""Stands for a secret, which nothing but the scanned code may hold."""
_SECRET = re.compile(
    r"(?i:secret|passw(or)?d|passphrase|credential|token|(api|access|private|secret|signing|encryption)_?key|dsn)"
    r"|(^|_)(KEY|key|PWD|pwd|PASS|pass)$"
)
_ABOUT_SECRETS = re.compile(
    r"(?i)_?(ur[li]|minutes|hours|days|seconds|timeout|age|expiry|ttl|length|header|name|prefix|algorithm|validators|hashers"
    r"|location|template|class|backend|type|enabled|field|path|file|dir)$"
)
"""How names end that speak of secrets without holding one."""
_LOGIN = re.compile(r"(?<=://)([^/@:\s]*):[^/@\s]+@")
_LONGEST = 1_000
"""Characters of a shown value: longer ones are tables and belong to the code."""


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is how the code asks for it: `DATABASES`, `Settings.database_url`, `SQLALCHEMY_DATABASE_URI`.

    `source` says what holds it ("Django settings", "pydantic settings", "Flask config", "environment"), `group` the
    module or class around it. `value` is the constant it has when nothing overrides it, as Python spells it, secrets
    masked; None where it is computed, comes from outside or is too long to be shown. `variables` are the environment
    variables that it is read from. `is_required` is set where the service doesn't start without one of them,
    `is_described` where its definition tells what it is for.
    """

    name: str
    source: str
    group: str
    location: Location
    role: Role
    value: str | None = None
    variables: tuple[str, ...] = ()
    is_required: bool = False
    is_described: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.group}:{self.name}"

    @property
    def label(self) -> str:
        return f"setting {self.name}"


def shown(name: str, value: object) -> str | None:
    """The value as Python spells it, fit to be seen: a text whose name, or whose key in a dict, speaks of a secret is
    masked, and so is the password of an address. None where it is too long.
    """
    text = repr(_masked(name, value))
    return text if len(text) <= _LONGEST else None


def _masked(name: str, value: object) -> object:
    match value:
        case str() if value and _SECRET.search(name) and not _ABOUT_SECRETS.search(name):
            return MASK
        case str():
            return _LOGIN.sub(rf"\1:{MASK}@", value)
        case dict():
            return {key: _masked(str(key), item) for key, item in value.items()}
        case list():
            return [_masked(name, item) for item in value]
        case tuple():
            return tuple(_masked(name, item) for item in value)
    return value
