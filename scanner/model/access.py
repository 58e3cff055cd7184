"""Who is let in: what is open by default, guards that act, sockets and webhooks."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Access(StrEnum):
    """Whom an endpoint lets in that says nothing itself."""

    CLOSED = "closed"
    READS_OPEN = "reads open"
    """Anybody reads, known callers write."""
    OPEN = "open"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class AccessDefault:
    """What a new endpoint of an application is when nobody guards it.

    `name` is the framework, with the module that makes the application. `has_setting` says that the framework has one
    place that closes all endpoints. `guarded` counts the endpoints that ask who is calling, `by_hand` those of them
    that only ask because they say so themselves; `forgotten` are others, that change something or list people.
    """

    name: str
    location: Location
    role: Role
    access: Access
    has_setting: bool
    evidence: tuple[Evidence, ...] = ()
    guarded: int = 0
    by_hand: int = 0
    forgotten: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return self.name


class GuardAction(StrEnum):
    """Whether a guard runs where it was put, and turns anybody away."""

    ACTS = "acts"
    OPENS = "opens"
    """It lets anybody in, wherever it stands."""
    ABOVE_ROUTE = "above route"
    """It wraps what the decorator below has registered already."""
    REDUNDANT = "redundant"
    """It stands above the route, and something else guards that."""
    BEHIND_VIEW = "behind view"
    """The view's own class comes before the mixin's, and never asks it."""
    NOT_REST = "not rest"
    """Django REST framework's attributes on a view that is none of its views."""
    ON_CLASS = "on class"
    """A decorator of functions on a class."""
    BARE_DEPENDENCY = "bare dependency"
    """A dependency that isn't wrapped in `Depends`."""
    CALLED_DEPENDENCY = "called dependency"
    """`Depends` is given what the dependency returns as the module is loaded."""
    ONLY_MADE = "only made"
    """`Depends` is given what makes the guard, makes one for each request, and never asks it."""
    ON_METHOD = "on method"
    """A decorator for functions under `api_view` on a view's method."""
    NOT_AWAITED = "not awaited"
    IGNORED = "ignored"
    """It says yes or no, and nobody listens."""
    LOST = "lost"
    """It returns the response that refuses, and whoever calls it drops that."""
    TOO_LATE = "too late"
    """Permissions are set when the handler runs, after they were asked."""
    INSTANCE = "instance"
    """An object where the framework wants a class to make one of."""


@dataclass(frozen=True, slots=True)
class GuardUse:
    """One place where a guard is put on something. `around` is the code it is put on, as `module:qualified.name`."""

    guard: str
    around: str
    ordinal: int
    location: Location
    role: Role
    action: GuardAction
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.around}:{self.guard}:{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.guard} on {self.around.rpartition(':')[2] or self.around}"


class Admission(StrEnum):
    """Who gets a WebSocket connection."""

    KNOWN = "known"
    """Callers whom a guard or a check in the handler knows."""
    TICKET = "ticket"
    """Callers with a token in the query string."""
    ORIGIN = "origin"
    """Pages of the service's own, and every client that is no browser."""
    ANY_ORIGIN = "any origin"
    """Pages of any site, as the user who is signed in."""
    ANYBODY = "anybody"
    NOBODY = "nobody"
    """It closes every connection."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class SocketEntrance:
    """A WebSocket route or consumer, and whom it lets connect."""

    name: str
    location: Location
    role: Role
    admission: Admission
    evidence: tuple[Evidence, ...] = ()
    http_guards: tuple[Evidence, ...] = ()
    """Guards around it that see HTTP requests alone."""

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"WebSocket {self.name}"


class Trust(StrEnum):
    """Why an endpoint believes that an event comes from whom it says."""

    VERIFIED = "verified"
    """It checks a signature or a secret, or asks the sender again."""
    GUARDED = "guarded"
    """A guard asks who is calling."""
    SECRET_PATH = "secret path"
    """Its path holds a secret."""
    UNKNOWN = "unknown"
    """Something may check it that could not be followed."""
    NONE = "none"


@dataclass(frozen=True, slots=True)
class InboundWebhook:
    """An endpoint that another system calls with its events.

    `is_named` is set where its path or its handler says that it is one; otherwise it only names a service that sends
    events. `actions` is what it surely does on an event, `perhaps_actions` what it may do.
    """

    name: str
    location: Location
    role: Role
    trust: Trust
    is_named: bool
    evidence: tuple[Evidence, ...] = ()
    actions: tuple[Evidence, ...] = ()
    perhaps_actions: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"webhook {self.name}"
