"""What every noun that a rule can judge has in common."""

from __future__ import annotations

import re
from typing import Protocol, runtime_checkable

from assay.scanner.model.place import Location
from assay.scanner.model.role import Role


@runtime_checkable
class Subject(Protocol):
    """Something a rule gives a verdict on.

    `subject_id` is stable: it survives moved lines and reformatting (route and method, qualified name, table.column)
    and is unique among the subjects of its type in one service. `label` is what a person calls the thing. A subject may
    also have a `doubt: Evidence | None`, which says why it may not be production's and turns its fails into reviews,
    and a `service_root: str`, which says whose it is where its location doesn't.
    """

    @property
    def subject_id(self) -> str: ...
    @property
    def label(self) -> str: ...
    @property
    def location(self) -> Location: ...
    @property
    def role(self) -> Role: ...


def noun_of(subject_type: type) -> str:
    """What a person calls such subjects: `HealthCheck` is a "health check", `SqlSite` an "SQL site"."""
    words = re.findall(r"[A-Z][a-z]*", subject_type.__name__)
    return " ".join("SQL" if word == "Sql" else word.lower() for word in words)
