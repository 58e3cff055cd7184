"""Secrets in files that are no code: manifests, and files of variables."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Held(StrEnum):
    """What stands where a secret belongs."""

    VALUE = "a value"
    SIMPLE = "a word, which may be for a demonstration"
    PLACEHOLDER = "text to be replaced"
    OUTSIDE = "a reference to what holds it"


@dataclass(frozen=True, slots=True)
class ManifestSecret:
    """One variable or entry of a manifest, by its name or its value a secret. `where` says in words what holds it.

    `service_root` says whose it is.
    """

    service_root: str
    holder: str
    name: str
    where: str
    location: Location
    role: Role
    held: Held
    doubt: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.holder}:{self.name}"

    @property
    def label(self) -> str:
        return f"{self.name} of {self.holder}"

    @property
    def is_for_show(self) -> bool:
        """Its name says that it is a demonstration's."""
        return not {"demo", "example", "sample"}.isdisjoint(self.name.lower().split("_"))

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.name} in {self.where}")


@dataclass(frozen=True, slots=True)
class EnvFile:
    """A file of variables in the tree. `secrets` hold values, `simple` words that may be for a developer's machine.
    `is_example` is set for one that is there to be copied.
    """

    service_root: str
    path: str
    location: Location
    role: Role
    secrets: tuple[Evidence, ...] = ()
    simple: tuple[Evidence, ...] = ()
    is_example: bool = False

    @property
    def subject_id(self) -> str:
        return self.path

    @property
    def label(self) -> str:
        return self.path

    @property
    def place(self) -> Evidence:
        return Evidence(self.location, f"{self.path} is a part of the tree")
