"""Endpoints that check or issue credentials: told by their paths, by their handlers' names, and by what handlers do."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from assay.scanner.access.purposes import sets_up
from assay.scanner.dataflow.lexicon import words
from assay.scanner.framework import Route
from assay.scanner.linker.project import Project, last_name, last_part
from assay.scanner.linker.scopes import FunctionSymbol
from assay.scanner.model.effect import EffectKind
from assay.scanner.model.endpoint import Endpoint, EndpointKind
from assay.scanner.model.place import Evidence
from assay.scanner.model.traffic import Credential
from assay.scanner.readers.python import form
from assay.scanner.traffic.passwords import takes_password, takes_token, verifies, verifies_code

_DEEPEST = 3
"""Calls from a handler to what checks the password."""
_SAFE = ("GET", "HEAD", "OPTIONS")
_SERVED = (EndpointKind.JSON, EndpointKind.HTML)
_PARAMETER = re.compile(r"\(\?P<[^>]*>[^/]*|<[^>]*>|\{[^}]*\}|^:\w+$|[\^$\\]")
_CARRIED = re.compile(r"[<{:](?:\w*:)?\w*(?:token|key|uidb64|signature|hash)\w*", re.IGNORECASE)
"""A parameter of a path that came in a mail, and is too long to be guessed."""
_ENDED = frozenset({"logout", "signout", "revoke", "logoff", "unregister", "blacklist", "introspect"})
_ELSEWHERE = frozenset(
    """oauth oauth2 saml sso oidc callback acs webhook webhooks google github gitlab facebook twitter apple microsoft
    azure keycloak okta auth0 cas social""".split()
)
"""Words of paths where another service checks the credentials."""
_LOGIN = frozenset({"login", "signin", "logon", "authenticate"})
_REGISTRATION = frozenset({"register", "registration", "signup"})
_OTHERS_REGISTER = frozenset("device devices webhook service services push client clients node hook fcm".split())
_PEOPLE = frozenset({"user", "users", "account", "accounts", "customer", "customers", "member", "members"})
_CREATING = frozenset({"create", "new", "add", "register", "post", "signup", "insert", "write", "save"})
_FORGOTTEN = frozenset({"forgot", "forgotten", "forget", "reset", "recover", "recovery"})
_PASSWORD = frozenset({"password", "passwd", "pwd"})
_ABOUT_PEOPLE = frozenset({*_PASSWORD, *_PEOPLE, "auth", "token", "tokens", "forgot", "forgotten", "recovery"})
_CODES = frozenset({"otp", "totp", "mfa", "2fa", "passcode", "pincode"})
_MAGIC = frozenset("link code sign signin login token generate auth email".split())
_SENT_CODES = frozenset(
    tuple(pair.split("_"))
    for pair in "send_code request_code verify_code verification_code login_code sms_code send_sms confirm_code".split()
)
_RESENT = frozenset("verification confirmation code activation email link".split())
_ISSUING = frozenset("obtain auth create provision pair login".split())
"""Words beside `token` where one is handed out."""
_ANY_ROW = frozenset({"first", "exists", "count"})
_NEUTRAL = frozenset(
    """api rest v auth authentication identity user users account accounts customer customers member members app web
    admin admins public new create""".split()
)
"""Words of paths that say nothing of what is registered but people."""
_CONFIRMING = frozenset("verify verification confirm confirmation activate activation validate check".split())
_REACHED = frozenset("phone mobile number email sms mail address".split())
"""Where a code is sent to."""
_TOKENS = frozenset({"token", "tokens", "jwt"})
_RENEWING = frozenset("refresh renew verify test check validate csrf push device fcm".split())
"""Words beside `token` where one is presented that can't be guessed, or one of another kind."""
_BESIDE = frozenset(
    """sent success failed history status link links done info attempts logs background config settings methods
    providers options image complete test check csrf events""".split()
)
"""Words beside `login` where nothing is typed that somebody could guess."""
_UNGUESSABLE = frozenset("webauthn passkey passkeys fido fido2 u2f".split())
"""Words of sign-ins with a key that never leaves its owner."""
_IN_BODY = "check in the handler"
_STRANGERS = frozenset("anonymous anon guest unauthenticated unactivated enabled allowed open csrf".split())
"""Words of guards that let in those who are not signed in."""


@dataclass(frozen=True, slots=True)
class CredentialUse:
    """What an endpoint does with credentials, and what shows it."""

    credential: Credential
    shown_by: Evidence


def credential_use(route: Route, endpoint: Endpoint, project: Project) -> CredentialUse | None:
    """None for an endpoint that neither checks nor issues any, or only for those who are signed in."""
    is_guarded = any(_STRANGERS.isdisjoint(words(last_part(name))) for name in endpoint.auth)
    is_step = _asks_for_password(route, endpoint) or _is_second_step(endpoint)
    if endpoint.kind not in _SERVED or (is_guarded and not is_step):
        return None
    if _CARRIED.search(endpoint.path) is not None:
        return None
    segments = [s for s in (_PARAMETER.sub("", part) for part in endpoint.path.split("/")) if s]
    told = [words(s) for s in segments]
    if endpoint.method in _SAFE:
        return _verified(route, project) if _is_login_path(told) else None
    handler = words(last_part(endpoint.handler.replace(":", ".")))
    credential = _by_path(told, handler, endpoint)
    if credential is Credential.REGISTRATION and not _is_of_people(told, handler):
        credential = credential if takes_password(route.handler, project) else None
    if credential is Credential.REGISTRATION and (sets_up(route) or _is_for_the_first(route.handler)):
        return None
    if credential is Credential.TOKEN and not endpoint.auth and not takes_password(route.handler, project):
        credential = None
    if credential is None:
        return (_confirmed(route, told, project) or _verified(route, project)) if _is_unclaimed(told) else None
    if credential is Credential.TOKEN and any(_ELSEWHERE & set(part) for part in told):
        return _verified(route, project)  # else it is a code of a sign-in elsewhere, which nobody guesses
    if credential is Credential.RECOVERY and route.handler is not None and takes_token(route.handler):
        return None
    return CredentialUse(credential, Evidence(endpoint.location, f"{endpoint.label} is for {credential.value}"))


def _by_path(told: list[tuple[str, ...]], handler: tuple[str, ...], endpoint: Endpoint) -> Credential | None:
    every = {word for part in told for word in part}
    last_two = [word for part in told[-2:] for word in part]
    near, last = set(last_two), set(told[-1]) if told else set()
    if _ENDED & (near | set(handler)) or _pairs(last_two) & {("log", "out"), ("sign", "out")}:
        return None
    if (_ELSEWHERE & every and not _TOKENS & last) or _UNGUESSABLE & (near | set(handler)):
        return None
    if _FORGOTTEN & near and (near & _PASSWORD or last & _FORGOTTEN) and every & _ABOUT_PEOPLE:
        return Credential.RECOVERY
    if _CODES & near or _pairs(last_two) & {("two", "factor"), ("2", "fa")} or ("magic" in near and _MAGIC & near):
        return Credential.CODE
    if _pairs(last_two) & _SENT_CODES or ("resend" in near and _RESENT & near):
        return Credential.CODE
    if _LOGIN & last or (_LOGIN & near and _TOKENS & last) or _pairs(last_two) & {("log", "in"), ("sign", "in")}:
        return Credential.LOGIN if not last & _BESIDE else None
    if _REGISTRATION & last or ("sign", "up") in _pairs(told[-1] if told else ()):
        return Credential.REGISTRATION if not _OTHERS_REGISTER & (near | set(handler)) else None
    if endpoint.method == "POST" and last <= _PEOPLE and last and _CREATING & set(handler):
        return Credential.REGISTRATION
    is_issuing = bool(last & _ISSUING) or (bool(told) and bool(_TOKENS & set(told[-1][-1:])))
    if _TOKENS & near and is_issuing and not _RENEWING & (near | set(handler)) and endpoint.method in ("POST", "ANY"):
        return Credential.TOKEN
    return None


def _pairs(parts: tuple[str, ...] | list[str]) -> set[tuple[str, str]]:
    return set(pairwise(parts))


def _is_of_people(told: list[tuple[str, ...]], handler: tuple[str, ...]) -> bool:
    """`/auth/register`; of `/users`, the handler says that somebody registers. Machines and guests register too."""
    if told and set(told[-1]) <= _PEOPLE:
        return bool(_REGISTRATION & set(handler)) or ("sign", "up") in _pairs(handler)
    before = {word for part in told[:-1] for word in part if not word.isdigit()}
    return before <= _NEUTRAL


def _is_login_path(told: list[tuple[str, ...]]) -> bool:
    return any(_LOGIN & set(part) or ("sign", "in") in _pairs(part) for part in told)


def _is_unclaimed(told: list[tuple[str, ...]]) -> bool:
    every = {word for part in told for word in part}
    return not every & (_ENDED | _ELSEWHERE)


def _is_for_the_first(handler: FunctionSymbol | None) -> bool:
    """`if Admin.objects.first(): return ...`: once somebody has registered, nobody else does."""
    tests = (n for n in handler.nodes if isinstance(n, form.If)) if handler is not None else ()
    leaving = (form.Return, form.Raise)
    return any(
        _asks_for_any_row(test.test) and any(isinstance(n, leaving) for n in form.walk_body(test.body))
        for test in tests
    )


def _asks_for_any_row(test: form.Expr) -> bool:
    if not isinstance(test, form.Call) or not isinstance(test.func, form.Attr) or test.func.attr not in _ANY_ROW:
        return False
    rows = test.func.value
    return rows.attr == "objects" if isinstance(rows, form.Attr) else _is_whole_query(rows)


def _is_whole_query(node: form.Expr) -> bool:
    return isinstance(node, form.Call) and last_name(node.func) == "query" and len(node.args) == 1


def _asks_for_password(route: Route, endpoint: Endpoint) -> bool:
    """HTTP Basic in front of an endpoint for tokens is the login itself."""
    told = {word for name in endpoint.auth for word in words(name)}
    told |= {word for part in _decorating(route) for word in words(part)}
    parts = [words(part) for part in endpoint.path.split("/") if part]
    return "basic" in told and bool(parts) and bool((_TOKENS | _LOGIN) & set(parts[-1]))


def _is_second_step(endpoint: Endpoint) -> bool:
    """Who has typed the password and not yet the code is in the session, and signed in by this endpoint only."""
    signs_in = any(e.kind is EffectKind.SESSION and e.action == "login" for e in endpoint.effects)
    return signs_in and endpoint.auth == (_IN_BODY,)


def _decorating(route: Route) -> Iterator[str]:
    for decorator in route.handler.decorators if route.handler is not None else ():
        for node in form.walk(decorator):
            name = last_name(node) if isinstance(node, form.Name | form.Attr) else None
            if name is not None:
                yield name


def _confirmed(route: Route, told: list[tuple[str, ...]], project: Project) -> CredentialUse | None:
    """Where the handler of `/auth/verify-phone` compares a code."""
    every = {word for part in told for word in part if not word.isdigit()}
    if route.handler is None or not _CONFIRMING & every or not every <= _CONFIRMING | _REACHED | _NEUTRAL:
        return None
    found = verifies_code(route.handler, _DEEPEST, project)
    return CredentialUse(Credential.CODE, found) if found is not None else None


def _verified(route: Route, project: Project) -> CredentialUse | None:
    """Where the handler itself compares a password."""
    found = verifies(route.handler, _DEEPEST, project) if route.handler is not None else None
    return CredentialUse(Credential.LOGIN, found) if found is not None else None
