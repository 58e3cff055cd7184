"""Parts of URLs that hold credentials, and what names say of them."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.dataflow.lexicon import sensitivity, words
from assay.scanner.dataflow.secrets.names import is_password
from assay.scanner.linker.scopes import Scope
from assay.scanner.model.key import UrlUse
from assay.scanner.model.log import Sensitivity
from assay.scanner.model.place import Location

_SURE = frozenset(
    {
        "access_token", "accesstoken", "api_key", "apikey", "api_token", "apitoken", "auth_token", "authtoken",
        "bearer", "client_secret", "id_token", "jwt", "refresh_token", "secret", "session_token",
    }
)  # fmt: skip
"""Names that leave no doubt that whoever has the value is let in again and again."""
_SESSIONS = frozenset({"session_id", "sessionid", "sid"})
"""Names of what lets in again and again, and of talks, payments and calls as well."""
LINKS = frozenset(
    {
        "accept", "activate", "activation", "callback", "confirm", "confirmation", "download", "email", "embed",
        "export", "feed", "forgot", "ical", "invitation", "invite", "join", "magic", "oauth", "preview", "public",
        "recover", "redirect", "register", "reset", "share", "shared", "signup", "unsubscribe", "verification",
        "verify", "webhook", "webhooks",
    }
)  # fmt: skip
"""Words of code that answers links which are sent to somebody, and other parties' redirects."""
OF_OTHERS = frozenset({"callback", "callbacks", "redirect", "webhook", "webhooks", "hook", "hooks"})
"""Words of code that another party calls, or sends a browser to, by an address that is agreed on."""


@dataclass(frozen=True, slots=True)
class UrlPart:
    """A credential at the place where it is read from a URL or put into one, or read from a header."""

    name: str
    scope: Scope
    location: Location
    use: UrlUse


def is_sure(name: str) -> bool:
    """Whether a part of that name is a key or a token that lets somebody in again and again."""
    return "_".join(words(name)) in _SURE


def is_of_session(name: str) -> bool:
    """Whether a part of that name may be what tells a session."""
    return "_".join(words(name)) in _SESSIONS


def is_credential(name: str) -> bool:
    """Whether a part of that name lets somebody in, once or more often."""
    return is_password(name) or is_sure(name) or sensitivity(name) is Sensitivity.CREDENTIAL
