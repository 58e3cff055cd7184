"""What a schema says, whatever the library: its fields, what it leaves open, and the table that it is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import Enum, auto

from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.model.table import Table


class Library(Enum):
    """By whose rules a class is read."""

    PYDANTIC = auto()
    """pydantic, SQLModel, Django Ninja."""
    REST_FRAMEWORK = auto()
    FORM = auto()
    """Django's forms and WTForms."""
    MARSHMALLOW = auto()
    RESTX = auto()
    """Flask-RESTX's and Flask-RESTful's dicts of fields."""
    DATACLASS = auto()
    """Data classes, attrs, msgspec, typed dicts."""
    DICT = auto()
    """Dicts that code writes by hand."""


@dataclass(frozen=True, slots=True)
class SchemaField:
    """One field by the name that it has in a body.

    `is_taken` says that a client may set it, `is_shown` that an answer holds it, `is_masked` that the answer holds
    something else in its place: stars, or what a method of the schema makes of it. `is_text` is False for flags,
    numbers and dates. `is_stored` says that it shows what an object holds, as far as a dict written by hand tells,
    `is_chosen` that code asks something before it shows the field.
    `nested` are the schemas that it may hold.
    """

    name: str
    location: Location
    is_taken: bool = True
    is_shown: bool = True
    is_masked: bool = False
    is_text: bool = True
    is_stored: bool | None = None
    is_chosen: bool = False
    nested: tuple[ClassSymbol, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Schema:
    """`table` is what its rows come from and go to.

    `everything` is where it says that it has each column of the table but a few, those of tomorrow too. `unknown` is
    what keeps its fields from being told. `open_to` is where it says that it takes fields that it doesn't declare.
    """

    name: str
    library: Library
    location: Location
    role: Role
    fields: Mapping[str, SchemaField] = field(default_factory=dict)
    cls: ClassSymbol | None = None
    table: Table | None = None
    is_table: bool = False
    """It is the mapped class itself."""
    makes_rows: bool = False
    """What marshmallow loads by it is a row."""
    everything: Evidence | None = None
    unknown: Evidence | None = None
    open_to: Evidence | None = None
    named: Evidence | None = None
    """Where it names its fields one by one."""

    def narrowed(self, only: frozenset[str] | None, without: frozenset[str]) -> Schema:
        """The schema as one place uses it, with a part of its fields."""
        if only is None and not without:
            return self
        kept = {n: f for n, f in self.fields.items() if (only is None or n in only) and n not in without}
        return replace(self, fields=kept, open_to=self.open_to if only is None else None)
