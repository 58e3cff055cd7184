"""A setting: a named value that the service is configured by, and where it comes from."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Setting:
    """`name` is how the code asks for it: `DATABASES`, `Settings.database_url`, `SQLALCHEMY_DATABASE_URI`.

    `source` says what holds it ("Django settings", "pydantic settings", "Flask config", "environment"), `group` the
    module or class around it. `value` is the constant it has when nothing overrides it, as Python spells it; None where
    it is computed or comes from outside. `variables` are the environment variables that it is read from. `is_required`
    is set where the service doesn't start without one of them.
    """

    name: str
    source: str
    group: str
    location: Location
    role: Role
    value: str | None = None
    variables: tuple[str, ...] = ()
    is_required: bool = False

    @property
    def subject_id(self) -> str:
        return f"{self.group}:{self.name}"

    @property
    def label(self) -> str:
        return f"setting {self.name}"
