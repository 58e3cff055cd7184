"""Cookies that a service sets, and how well browsers are told to keep them."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.option import Option
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role


class CookieRole(StrEnum):
    """What a cookie is for, as far as its name and its value tell."""

    SESSION = "session"
    """It says who somebody is or what they may do: a session, a token, a user's id."""
    CSRF = "csrf"
    """A token that scripts of the page read and send back."""
    PREFERENCE = "preference"
    """How somebody likes things: a language, a theme, a banner that was closed."""
    CONSTANT = "constant"
    """Its value is the same for everybody."""
    REMOVAL = "removal"
    """It is set to nothing, so that the browser forgets it."""
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Cookie:
    """One place where a cookie is set, or where a framework is told to set its own.

    `name` is its name, or how the code speaks of it. `ordinal` counts the places of one function that set a cookie of
    that name, from 1. `inactive` says why production doesn't set it.
    """

    function: str
    ordinal: int
    name: str
    purpose: CookieRole
    location: Location
    role: Role
    secure: Option
    httponly: Option
    samesite: Option
    inactive: Evidence | None = None

    @property
    def subject_id(self) -> str:
        return f"{self.function}#{self.name}{self.ordinal}"

    @property
    def label(self) -> str:
        return f"cookie {self.name} in {self.function}"

    @property
    def asked(self) -> dict[str, Option]:
        """The flags that a cookie of its purpose needs: a CSRF token has to be read by scripts."""
        if self.purpose is CookieRole.CSRF:
            return {"Secure": self.secure}
        return {"Secure": self.secure, "HttpOnly": self.httponly, "SameSite": self.samesite}

    @property
    def missing(self) -> dict[str, Option]:
        """The needed flags that production sets it without."""
        return {flag: option for flag, option in self.asked.items() if option.is_safe is False}

    @property
    def unsettled(self) -> dict[str, Option]:
        """The needed flags of which nothing can be told."""
        return {flag: option for flag, option in self.asked.items() if option.is_safe is None}
