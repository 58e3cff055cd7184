"""An endpoint: one method on one full path, what answers it, what guards it, and what it reads and returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.query import CollectionRead, PageSize
from assay.scanner.model.role import Role


class EndpointKind(StrEnum):
    """What an endpoint serves. REST rules judge `JSON` only."""

    JSON = "json"
    HTML = "html"
    FILE = "file"
    STREAM = "stream"
    WEBSOCKET = "websocket"
    GRAPHQL = "graphql"
    HEALTH = "health"
    DOCS = "docs"
    STATIC = "static"


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One row of the route table: `ANY` stands for a view that takes any method.

    `path` is the full template as the framework routes it, in the framework's own parameter syntax. `handler` is
    `module:qualified.name`. `auth` names the guards that apply, from whatever level; empty when the endpoint is open.
    """

    method: str
    path: str
    handler: str
    location: Location
    framework: str
    kind: EndpointKind
    role: Role
    auth: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    response_model: str | None = None
    returns_collection: bool = False
    collection: str = "rows"
    """What it returns many of, in words: the model's name where it is known."""
    pagination: str | None = None
    """How the list is cut into pages, in a few words; None when it isn't."""
    reads: tuple[CollectionRead, ...] = ()
    page_sizes: tuple[PageSize, ...] = ()
    paginators: tuple[Evidence, ...] = ()
    """Library paginators and decorators that wrap the whole response."""
    bounded_by_nature: tuple[Evidence, ...] = ()
    """Why the collection is small by itself: an enum, a registry, a literal list."""
    unresolved: tuple[Evidence, ...] = ()
    """What the handler returns that the analysis could not follow."""

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def is_json_list(self) -> bool:
        """A JSON endpoint that a client reads a collection from."""
        return self.kind is EndpointKind.JSON and self.method in ("GET", "ANY") and self.returns_collection
