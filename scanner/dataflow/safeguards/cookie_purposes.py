"""What a cookie is for, as far as its name and the value that it is given tell."""

from __future__ import annotations

from collections.abc import Iterable

from assay.scanner.dataflow.lexicon import words
from assay.scanner.linker.project import last_name
from assay.scanner.model.cookie import CookieRole
from assay.scanner.readers.python import form

_CSRF = frozenset({"csrf", "xsrf", "csrftoken", "xsrftoken", "antiforgery"})
_TELLING = frozenset(
    {
        "session", "sessions", "sess", "sid", "sessionid", "phpsessid", "jsessionid", "auth", "authentication",
        "authorization", "token", "tokens", "jwt", "bearer", "refresh", "remember", "login", "credential",
        "credentials", "secret", "password", "passwd", "apikey", "sso", "saml", "oauth", "oidc", "otp", "mfa", "ticket",
    }
)  # fmt: skip
"""Words that say that the cookie lets somebody in, whatever else its name holds."""
_PREFERENCES = frozenset(
    {
        "lang", "language", "languages", "locale", "i18n", "theme", "color", "colour", "dark", "mode", "timezone", "tz",
        "currency", "country", "region", "sidebar", "layout", "consent", "consented", "gdpr", "banner", "dismissed",
        "seen", "hide", "hidden", "show", "utm", "ref", "referrer", "referer", "referral", "campaign", "tour",
        "onboarding", "view", "sort", "filter", "page", "size", "font", "width", "visited", "visit", "visits", "survey",
        "notice", "notification", "preference", "preferences", "prefs", "settings", "tab", "collapsed", "expanded",
        "messages", "flash", "analytics", "ga", "experiment", "variant", "ab",
    }
)  # fmt: skip
_PEOPLE = frozenset(
    {
        "user", "username", "userid", "uid", "admin", "role", "roles", "account", "acct", "member", "customer", "email",
        "identity", "profile", "logged", "permissions", "scope", "tenant", "owner",
    }
)  # fmt: skip
_ASKING = frozenset({"is", "has", "was", "had", "show", "can"})
_ABOUT = frozenset({"max", "age", "expires", "expiry", "domain", "path", "secure", "samesite", "httponly"})


def purpose_of(names: Iterable[str], value: form.Expr | None) -> CookieRole:
    """The most telling purpose that one of its names has; else what the value's own names say."""
    found = [_of_name(name) for name in names]
    for purpose in (CookieRole.SESSION, CookieRole.CSRF, CookieRole.PREFERENCE):
        if purpose in found:
            return purpose
    return _of_value(value) if value is not None else CookieRole.UNKNOWN


def is_flag(names: Iterable[str]) -> bool:
    """Whether a name asks for a yes or no: `is_signed_in` lets nobody in."""
    return any(words(name)[:1] in {(word,) for word in _ASKING} for name in names)


def _of_name(name: str) -> CookieRole:
    parts = set(words(name)) | {name.lower()}
    if parts & _CSRF:
        return CookieRole.CSRF
    if parts & _TELLING:
        return CookieRole.SESSION
    if parts & _PREFERENCES:
        return CookieRole.PREFERENCE
    return CookieRole.SESSION if parts & _PEOPLE else CookieRole.UNKNOWN


def _of_value(value: form.Expr) -> CookieRole:
    """`create_access_token(user)` gives a token, `user.session_key` a session."""
    parts: set[str] = set()
    for node in form.walk(value, into_definitions=False):
        if isinstance(node, form.Name | form.Attr):
            parts |= set(words(last_name(node) or ""))
    if parts & _CSRF:
        return CookieRole.CSRF
    return CookieRole.SESSION if parts & _TELLING and not parts & _ABOUT else CookieRole.UNKNOWN
