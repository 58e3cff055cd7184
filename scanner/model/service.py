"""One deployable backend: everything that was understood about it, noun by noun."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.place import Location
from assay.scanner.model.query import PagedQuery, PageSize
from assay.scanner.model.role import Role


@dataclass(frozen=True, slots=True)
class Service:
    """A service and its parts. Each tuple field is a denominator: the engine hands a rule the parts of its subject's
    type, found by the field's annotation.

    `root` is relative to the scanned root (`.` for the root itself).
    """

    name: str
    root: str
    location: Location
    role: Role
    frameworks: tuple[str, ...] = ()
    endpoints: tuple[Endpoint, ...] = ()
    page_sizes: tuple[PageSize, ...] = ()
    paged_queries: tuple[PagedQuery, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.root

    @property
    def label(self) -> str:
        return f"service {self.name}"
