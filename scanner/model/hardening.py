"""How an application is hardened: headers, hosts, debugging, forged requests."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class Control(StrEnum):
    """A protection that browsers are told of by headers (https://owasp.org/www-project-secure-headers/)."""

    HTTPS = "HTTPS"
    """`Strict-Transport-Security`, or a redirect to https."""
    NOSNIFF = "X-Content-Type-Options"
    FRAMES = "X-Frame-Options"
    """That header, or the policy's `frame-ancestors`."""
    CONTENT = "Content-Security-Policy"
    REFERRER = "Referrer-Policy"


@dataclass(frozen=True, slots=True)
class SecurityHeader:
    """One protection of one application, and what sets it.

    `serves_pages` says whether browsers show what the application answers. `is_set` is None where single handlers
    set it, each for its own answers.
    """

    application: str
    control: Control
    location: Location
    role: Role
    is_set: bool | None
    serves_pages: bool
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return f"{self.application}:{self.control.name.lower()}"

    @property
    def label(self) -> str:
        return f"{self.control.value} of {self.application}"


@dataclass(frozen=True, slots=True)
class DebugSwitch:
    """A place that turns debugging on or off.

    `name` is how the code calls it, `debugging` safe where it comes to off. `production` tells whether production gets
    there: None where nothing says how it is started.
    """

    name: str
    ordinal: int
    location: Location
    role: Role
    debugging: Option
    production: bool | None
    started_by: tuple[Evidence, ...] = ()
    """What tells whether production gets there."""

    @property
    def subject_id(self) -> str:
        return f"{self.name}#{self.ordinal}"

    @property
    def label(self) -> str:
        return f"debug switch {self.name}"


@dataclass(frozen=True, slots=True)
class HostPolicy:
    """Which host names an application answers to.

    `hosts` is safe where they are a list, None where nobody says so and the framework takes any.
    """

    application: str
    location: Location
    role: Role
    hosts: Option | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def is_finite(self) -> bool:
        return self.hosts is not None and self.hosts.is_safe is True

    @property
    def subject_id(self) -> str:
        return self.application

    @property
    def label(self) -> str:
        return f"hosts of {self.application}"


@dataclass(frozen=True, slots=True)
class ForgeryProtection:
    """What keeps other sites from sending requests in the name of somebody whose browser is signed in: for an
    application as a whole, for a view that is left out, for a way of signing in.

    `cookie` shows that a cookie alone says who the caller is, and is empty where nothing does. `is_protected` is None
    where that hangs on what can't be seen.
    """

    name: str
    location: Location
    role: Role
    cookie: tuple[Evidence, ...]
    is_protected: bool | None
    evidence: tuple[Evidence, ...] = ()

    @property
    def subject_id(self) -> str:
        return self.name

    @property
    def label(self) -> str:
        return f"forgery protection of {self.name}"
