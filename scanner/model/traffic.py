"""Who may call, from where and how often."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class AuthStyle(StrEnum):
    """How a service's callers say who they are."""

    COOKIE = "cookie"
    """Browsers send it unasked, with whatever page makes them call."""
    HEADER = "header"
    """The caller's own code has to know a token and send it."""
    BOTH = "both"
    """Some endpoints take a cookie, or some callers send one."""
    NONE = "none"
    """Nothing that it offers asks who is calling."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class CorsPolicy:
    """Which origins browsers may call from, as one middleware, extension, group of settings or function answers.

    `any_origin` is unsafe where every origin is let in, `credentials` where browsers are told to send cookies along.
    `is_for_all` says whether it is for the whole application, and not for some of its paths or one handler.
    `is_literal_star` says that the answer is the text `*` even to requests with credentials, which browsers refuse.
    `exclusive` shows why not both hold at once; `inactive` why production doesn't have it.
    """

    function: str
    ordinal: int
    mechanism: str
    location: Location
    role: Role
    any_origin: Option
    credentials: Option
    is_for_all: bool = True
    auth_style: AuthStyle = AuthStyle.UNKNOWN
    auth: Evidence | None = None
    """What shows how callers say who they are."""
    is_literal_star: bool = False
    exclusive: Evidence | None = None
    inactive: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.mechanism}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.mechanism} in {self.function}"

    @property
    def evidence(self) -> tuple[Evidence, ...]:
        """What decides about origins, then about credentials; each place once."""
        return tuple(dict.fromkeys((*self.any_origin.evidence[:2], *self.credentials.evidence[:2])))


class Storage(StrEnum):
    """Where a limiter keeps its counts."""

    PROCESS = "process"
    """In the memory of each process: every one counts for itself."""
    SHARED = "shared"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class RateLimiter:
    """What counts calls, and where it keeps the counts.

    `several` shows that more than one process serves requests, `single` that only one does. `unused` says why it limits
    nothing in production.
    """

    function: str
    ordinal: int
    library: str
    location: Location
    role: Role
    storage: Storage
    storage_evidence: tuple[Evidence, ...] = ()
    several: tuple[Evidence, ...] = ()
    single: tuple[Evidence, ...] = ()
    unused: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.library}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.library} limiter in {self.function}"


class Throttle(StrEnum):
    """What keeps a client from calling an endpoint as often as it likes."""

    LIMIT = "rate limit"
    """A limiter that counts calls, per route or for all."""
    LOCKOUT = "lockout"
    """Failed attempts are counted, or the account is locked after some."""
    CAPTCHA = "captcha"
    NONE = "none"


class Credential(StrEnum):
    """What an endpoint checks or issues that somebody could guess, or be flooded with."""

    LOGIN = "login"
    REGISTRATION = "registration"
    RECOVERY = "password recovery"
    CODE = "one-time code"
    TOKEN = "token"


@dataclass(frozen=True, slots=True)
class EndpointTraffic:
    """How often clients may call one endpoint, and what for.

    `is_public` is None where something may guard it that could not be followed. `cost` shows why each call is dear: it
    adds rows, sends something or has a model answer. `credential` is set where it checks or issues credentials, and
    `shown_by` shows that. `spoken_for` names the endpoint that the service's missing limiter is told at, where it isn't
    this one.
    """

    method: str
    path: str
    location: Location
    role: Role
    is_json: bool
    is_public: bool | None
    throttle: Throttle = Throttle.NONE
    throttles: tuple[Evidence, ...] = ()
    cost: Evidence | None = None
    credential: Credential | None = None
    shown_by: tuple[Evidence, ...] = ()
    before: tuple[Evidence, ...] = ()
    """Middleware and hooks of the service that count callers, where nothing shows that it is among their routes."""
    spoken_for: str | None = None
    others: tuple[Evidence, ...] = ()
    """More public endpoints of a service without any limiter."""

    @property
    def subject_id(self) -> str:
        return f"{self.method} {self.path}"

    @property
    def label(self) -> str:
        return f"{self.method} {self.path or '/'}"


class Trust(StrEnum):
    """What an address, a host or a scheme that a request claims is believed on."""

    PEER = "peer"
    """The address that the connection comes from."""
    KNOWN_PROXIES = "known proxies"
    """Claims of proxies that are counted or listed."""
    CLAIMED = "claimed"
    """The client itself can write it."""
    ONE_HEADER = "one header"
    """A header that a proxy is said to set: true if nobody gets past the proxy."""
    CONFIGURED = "configured"
    """How many or which proxies are believed is set at run time."""
    HARD_SET = "hard-set"
    """It is always on, whatever stands in front."""


@dataclass(frozen=True, slots=True)
class ClientAddress:
    """A place that takes an address, or trust in a proxy, from what a request says.

    `use` shows what hangs on it, a limit or a decision; None where it is only logged or stored. `aside` says why it
    doesn't matter.
    """

    function: str
    ordinal: int
    what: str
    location: Location
    role: Role
    trust: Trust
    evidence: tuple[Evidence, ...] = ()
    use: Evidence | None = None
    aside: str | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.what}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"{self.what} in {self.function}"
