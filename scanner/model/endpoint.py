"""An endpoint: one method on one full path, what answers it, what guards it, and what it reads and returns."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.effect import Effect, EffectKind
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.privilege import Privilege, SensitiveAct
from assay.scanner.model.query import Bound, CollectionRead, PageSize
from assay.scanner.model.role import Role

_NEAR = 3
"""Steps from a handler to a change that is its own purpose."""


_CHANGING = frozenset(
    """create add delete remove update edit set save upload write insert import run execute trigger start stop cancel
    approve submit publish enable disable assign replace store register destroy purge clear""".split()
)  # fmt: skip
"""First words of functions that change something."""


class EndpointKind(StrEnum):
    """What an endpoint serves. REST rules judge `JSON` only."""

    JSON = "json"
    HTML = "html"
    FILE = "file"
    STREAM = "stream"
    WEBSOCKET = "websocket"
    GRAPHQL = "graphql"
    GRPC = "grpc"
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
    guards: tuple[Evidence, ...] = ()
    """Where the guards are attached, in the order of `auth`."""
    unresolved_guards: tuple[Evidence, ...] = ()
    """What may guard it, for all that can be told: a decorator, dependency or middleware that could not be followed."""
    public_purpose: str | None = None
    """Why anybody may call it, by what it is for: people sign in with it, a crawler fetches it."""
    stand_ins: tuple[Evidence, ...] = ()
    """What may stand in for a guard: a secret in its path, a service that isn't set up yet."""
    opened: tuple[Evidence, ...] = ()
    """Where the code says that callers needn't be known: `AllowAny`, `auth=None`, an identity that is optional."""
    decorators: tuple[str, ...] = ()
    """Dotted names, as they would be imported, of the decorators of its handler and of the handler's class."""
    private_rows: tuple[Evidence, ...] = ()
    """Lists of rows about people that it hands out to callers whom nobody knows."""
    tags: tuple[str, ...] = ()
    summary: str | None = None
    """What its documentation says in one line, where the code states it for that purpose."""
    is_deprecated: bool = False
    request_model: str | None = None
    """The type of the body, as the code spells it; None where there is none or it is read by hand."""
    response_model: str | None = None
    status_codes: tuple[int, ...] = ()
    """The declared statuses, the success first; empty where the code declares none."""
    rate_limits: tuple[str, ...] = ()
    """What limits how often a client may call, from whatever level, by name."""
    throttles: tuple[Evidence, ...] = ()
    """Where the rate limits are attached."""
    effects: tuple[Effect, ...] = ()
    """What it changes for this method, in its handler or in what that calls."""
    effects_on_get: tuple[Effect, ...] = ()
    """What it changes when asked with a safe method: of one that takes any method, less than `effects`."""
    contract: str | None = None
    """Why asking it with GET is no choice of the service's: a provider's redirect. Told where it changes something."""
    link: str | None = None
    """What leads people there with GET: a link from a mail, a payment provider. Told where it changes something."""
    privilege: Privilege | None = None
    """Why it is for few, and what it asks of callers; None where strangers or all who are signed in may call it."""
    act: SensitiveAct | None = None
    """What it does that has to be on record."""
    unfollowed: tuple[Evidence, ...] = ()
    """Calls that may change something, for all that can be told."""
    operations: tuple[str, ...] = ()
    """What a GraphQL endpoint offers at its root: `query users`, `mutation createUser`, `subscription ticks`."""
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
        return f"{self.method} {self.path or '/'}"

    @property
    def changes(self) -> tuple[Evidence, ...]:
        """Where it surely changes something that matters: sessions and records of who did what don't."""
        return self._changes(certain=True)

    @property
    def perhaps_changes(self) -> tuple[Evidence, ...]:
        """Where it may change something that matters, by what it calls or by what it is called."""
        name = self.handler.rsplit(":", 1)[-1].rsplit(".", 1)[-1]
        says_so = self.method in ("PUT", "PATCH", "DELETE") or name.partition("_")[0] in _CHANGING
        told = (Evidence(self.location, "its name says that it changes something"),) if says_so else ()
        return (*self._changes(certain=False), *self.unfollowed, *told)

    @property
    def is_written_to(self) -> bool:
        """Whether clients call it to change something, by its method."""
        return self.method not in ("GET", "HEAD", "OPTIONS", "ANY")

    def _changes(self, *, certain: bool) -> tuple[Evidence, ...]:
        own = (EffectKind.SESSION, EffectKind.AUDIT)
        found = [e for e in self.effects if e.kind not in own and e.excuse is None and (e.doubt is None) is certain]
        if self.method in ("GET", "ANY"):  # what is read may be fetched or kept on the way
            reading = set(self.effects_on_get)
            found = [e for e in found if e not in reading or (e.kind is EffectKind.WRITE and len(e.steps) <= _NEAR)]
        return tuple(dict.fromkeys(e.evidence for e in found))

    @property
    def is_read(self) -> bool:
        """Whether it takes a method that HTTP calls safe."""
        return self.method in ("GET", "HEAD", "OPTIONS", "ANY")

    @property
    def changes_on_get(self) -> tuple[Effect, ...]:
        """What a safe method changes each time it is asked, as far as that matters to clients; the sure ones first."""
        found = [e for e in self.effects_on_get if e.kind is not EffectKind.AUDIT and not e.excuse and not e.occasion]
        return tuple(sorted(found, key=lambda e: e.doubt is not None))

    @property
    def is_json_list(self) -> bool:
        """A JSON endpoint that a client reads a collection from."""
        return self.kind is EndpointKind.JSON and self.method in ("GET", "ANY") and self.returns_collection

    @property
    def why_no_json_list(self) -> str:
        """In words, for what `is_json_list` turns away."""
        if self.method not in ("GET", "ANY"):
            return f"{self.method} is no read"
        if self.kind is not EndpointKind.JSON:
            return f"it serves {self.kind.value}, not JSON"
        return "it doesn't return a collection of rows"

    @property
    def unlimited_reads(self) -> tuple[Evidence, ...]:
        """Reads that take every row of a table or of a free filter."""
        return self._reads(Bound.UNLIMITED, of_one_parent=False)

    @property
    def reads_of_one_parent(self) -> tuple[Evidence, ...]:
        """Unlimited reads of the rows that belong to one other row."""
        return self._reads(Bound.UNLIMITED, of_one_parent=True)

    @property
    def reads_of_unknown_size(self) -> tuple[Evidence, ...]:
        return tuple(Evidence(r.location, f"reads {r.model} rows") for r in self.reads if r.bound is Bound.UNKNOWN)

    @property
    def limits(self) -> tuple[Evidence, ...]:
        """What limits the reads; each once."""
        return tuple(dict.fromkeys(r.limit for r in self.reads if r.limit is not None))

    def _reads(self, bound: Bound, of_one_parent: bool) -> tuple[Evidence, ...]:
        text = "no limit between this query and the response"
        return tuple(
            Evidence(r.location, text) for r in self.reads if r.bound is bound and r.filtered_by_parent is of_one_parent
        )
