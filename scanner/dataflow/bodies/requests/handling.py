"""What becomes of a body in a function and in those that it hands it to: where it is read, checked, and used."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum

from assay.scanner.dataflow.bodies.assignments.copies import Copy
from assay.scanner.dataflow.bodies.requests.sent import ANY_FIELD
from assay.scanner.linker.scopes import ClassSymbol
from assay.scanner.model.place import Evidence


class Check(IntEnum):
    """How much a check by hand says of a field."""

    PRESENCE = 1
    KIND = 2
    """Its type, its shape, or which values it may have."""


@dataclass(slots=True)
class Handling:
    """By field, `*` where it may be any: `kept` are uses that go further than a comparison or a search, `compared` are
    these. `breaks` are fields of JSON that are read as if they were surely there, `asked` are those of which code asks
    whether they are. `forwarded` is what goes to another service.
    """

    read: Evidence | None = None
    is_form: bool = False
    is_stored: bool = False
    """A field is written into an object, or given to what stores it."""
    validated: list[Evidence] = field(default_factory=list)
    signed: Evidence | None = None
    """Where a signature of the sender's is checked."""
    kept: dict[str, Evidence] = field(default_factory=dict)
    compared: dict[str, Evidence] = field(default_factory=dict)
    breaks: dict[str, Evidence] = field(default_factory=dict)
    forwarded: dict[str, Evidence] = field(default_factory=dict)
    asked: set[str] = field(default_factory=set)
    checks: dict[str, Check] = field(default_factory=dict)
    check_places: list[Evidence] = field(default_factory=list)
    copies: list[Copy] = field(default_factory=list)
    """Where many fields at once become columns of a row."""
    writers: list[ClassSymbol] = field(default_factory=list)
    """Schemas that it is given to, and that write rows themselves."""

    def check(self, name: str, check: Check, place: Evidence) -> None:
        """Note a check of a field, of all of them for `*`."""
        self.checks[name] = max(check, self.checks.get(name, check))
        self.check_places.append(place)

    def checked(self, name: str) -> Check | None:
        """What is checked of the field. A row that is found by an id says that the id is right."""
        known = [self.checks[key] for key in (name, ANY_FIELD) if key in self.checks]
        if name in self.compared and name.lower().endswith(("id", "ids", "uuid", "slug")):
            known.append(Check.KIND)
        return max(known) if known else None

    @property
    def unchecked(self) -> tuple[Evidence, ...]:
        """Fields that are used with no check at all, and those whose absence breaks the handler."""
        used = {n: e for n, e in self.kept.items() if self.checked(n) is None}
        return tuple({**self.broken, **used}.values())

    @property
    def broken(self) -> dict[str, Evidence]:
        """Fields whose absence breaks the handler."""
        sure = self.asked | self.checks.keys()
        return {n: e for n, e in self.breaks.items() if sure.isdisjoint((n, ANY_FIELD))}

    @property
    def half_checked(self) -> tuple[Evidence, ...]:
        """Fields that are used, and of which code only asks whether they are there."""
        return tuple(e for n, e in self.kept.items() if self.checked(n) is Check.PRESENCE)

    def add(self, other: Handling) -> None:
        """What a function that is called does too."""
        if self.read is None:
            self.read, self.is_form = other.read, other.is_form
        self.is_stored |= other.is_stored
        self.validated += other.validated
        self.signed = self.signed or other.signed
        for mine, theirs in (
            (self.kept, other.kept),
            (self.compared, other.compared),
            (self.breaks, other.breaks),
            (self.forwarded, other.forwarded),
        ):
            for name, evidence in theirs.items():
                mine.setdefault(name, evidence)
        for name, check in other.checks.items():
            self.checks[name] = max(check, self.checks.get(name, check))
        self.check_places += other.check_places
        self.copies += other.copies
        self.writers += [cls for cls in other.writers if cls not in self.writers]
        self.asked |= other.asked
