"""Tokens that are issued, and signed links that are read: whether they end, and after how long."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property

from assay.scanner.dataflow.keys.claims import Claims, Payloads
from assay.scanner.dataflow.keys.lifetimes import Lifetime, Lifetimes, is_lasting, speaks_of_lasting
from assay.scanner.dataflow.keys.places import node_at, scope_at
from assay.scanner.dataflow.keys.stated_lifetimes import stated_lifetimes
from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.numbering import Ordinals, around
from assay.scanner.dataflow.secrets.undeployed import is_undeployed
from assay.scanner.dataflow.ways import Turn, way_to
from assay.scanner.gathered import Gathered
from assay.scanner.linker.project import last_name, last_part
from assay.scanner.linker.scopes import Scope
from assay.scanner.linker.values import External, Instance
from assay.scanner.model.key import Expiry, TokenIssue
from assay.scanner.model.place import Evidence, Location
from assay.scanner.model.role import Role
from assay.scanner.readers.python import form

_ENCODERS: Mapping[str, tuple[str, int]] = {
    "jwt.encode": ("payload", 0),
    "jwt.PyJWT.encode": ("payload", 0),
    "jwt.api_jwt.encode": ("payload", 0),
    "jose.jwt.encode": ("claims", 0),
    "authlib.jose.jwt.encode": ("payload", 1),
    "authlib.jose.JsonWebToken.encode": ("payload", 1),
    "joserfc.jwt.encode": ("claims", 1),
}
"""The payload's keyword and place."""
_DECODERS = frozenset(
    {"jwt.decode", "jwt.PyJWT.decode", "jwt.decode_complete", "jwt.api_jwt.decode", "jose.jwt.decode"}
)
_READERS: Mapping[str, int] = {
    "itsdangerous.Serializer.loads": 1,
    "itsdangerous.Signer.unsign": 1,
    "itsdangerous.TimedSerializer.loads": 1,
    "itsdangerous.TimestampSigner.unsign": 1,
    "itsdangerous.URLSafeSerializer.loads": 1,
    "itsdangerous.URLSafeTimedSerializer.loads": 1,
    "django.core.signing.Signer.unsign": 1,
    "django.core.signing.Signer.unsign_object": 1,
    "django.core.signing.TimestampSigner.unsign": 1,
    "django.core.signing.TimestampSigner.unsign_object": 1,
    "django.core.signing.loads": 4,
}
"""Where the greatest age may stand, of what reads a signed text."""
_WITHOUT_TIME = ("Signer.", ".Serializer.", "URLSafeSerializer.")
_LIFETIMES: Mapping[str, tuple[str, int | None]] = {
    "fastapi_users.authentication.JWTStrategy": ("lifetime_seconds", 1),
    "flask_jwt_extended.create_access_token": ("expires_delta", 2),
    "flask_jwt_extended.create_refresh_token": ("expires_delta", 1),
    "fastapi_jwt_auth.AuthJWT.create_access_token": ("expires_time", None),
    "fastapi_jwt_auth.AuthJWT.create_refresh_token": ("expires_time", None),
    "fastapi_login.LoginManager.create_access_token": ("expires", None),
    "litestar.security.jwt.JWTAuth": ("default_token_expiration", None),
    "litestar.security.jwt.JWTCookieAuth": ("default_token_expiration", None),
    "litestar.security.jwt.OAuth2PasswordBearerAuth": ("default_token_expiration", None),
}
"""The keyword and the place of a lifetime that calls are told; without one the library's own counts."""
_OF_ISSUERS = frozenset({"iss", "iat", "aud", "jti", "nbf", "kid"})
"""Claims that say nothing of a user: who is the issuer, and for whom the token is."""
_ENDING = frozenset({"expires", "expiry", "expiration", "expire", "exp", "expired", "until", "ttl", "deadline"})
"""Words of names for when something ends."""
_AFTER_THE_END = frozenset({"refresh", "renew", "expired", "logout", "revoke", "introspect", "blacklist"})
"""Words of functions that have to do with tokens that have ended."""
_FOR_GOOD = frozenset({"unsubscribe", "unsub", "cookie", "csrf", "state", "feed", "ical"})
"""Words of signed texts that are to work for as long as anybody has them."""
_OPENING = frozenset(
    {
        "activate", "activation", "auth", "confirm", "confirmation", "invitation", "invite", "login", "magic", "mfa",
        "password", "recover", "recovery", "reset", "token", "verification", "verify",
    }
)  # fmt: skip
"""Words of signed texts that let somebody in."""
_ACCOUNTS = frozenset({"auth", "login", "magic", "mfa", "password", "recover", "recovery", "reset", "session"})
"""Words of those that open the whole account."""


@dataclass(frozen=True, slots=True)
class _Found:
    what: str
    scope: Scope
    place: Location
    expiry: Expiry
    evidence: tuple[Evidence, ...]
    lifetime: Lifetime | None = None


class TokenIssues:
    """All of them in the production code of a project."""

    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._project = gathered.project
        self._production = gathered.production
        self._payloads = Payloads(self._project)
        self._lifetimes = Lifetimes(self._project, self._production)

    def all(self) -> Iterator[TokenIssue]:
        """Each once, in order of path and position."""
        stated = (found for name, place in stated_lifetimes(self._gathered) for found in self._stated(name, place))
        found = [*self._by_calls(), *stated]
        ordinals = Ordinals()
        for issue in sorted(found, key=lambda f: f.place):
            function = around(issue.scope)
            yield TokenIssue(
                function=function,
                what=issue.what,
                ordinal=ordinals.next(function, issue.what),
                location=issue.place,
                role=issue.scope.module.role,
                expiry=issue.expiry,
                seconds=round(issue.lifetime.seconds) if issue.lifetime is not None else None,
                is_lasting=issue.lifetime is not None and issue.lifetime.is_lasting,
                evidence=tuple(dict.fromkeys(issue.evidence)),
                aside="it is for development or tests" if is_undeployed(issue.scope) else None,
            )

    def _by_calls(self) -> Iterator[_Found]:
        names = {last_part(name) for name in (*_ENCODERS, *_DECODERS, *_READERS, *_LIFETIMES)} | {"set_exp"}
        for call, scope in self._project.calls_named(*sorted(names)):
            if scope.module.role is not Role.PROD:
                continue
            callee = self._project.infer(call.func, scope)
            name = _known_as(callee.name) if isinstance(callee, External) else ""
            found: _Found | None = None
            if name in _ENCODERS:
                found = self._encoded(call, scope, *_ENCODERS[name])
            elif name in _DECODERS:
                found = self._decoded(call, scope)
            elif name in _READERS:
                found = self._read(call, scope, name)
            elif name in _LIFETIMES:
                keyword, position = _LIFETIMES[name]
                told = call.keyword(keyword) if position is None else call.argument(position, keyword)
                found = self._given(call, scope, told)
            elif last_name(call.func) == "set_exp":
                found = self._given(call, scope, call.keyword("lifetime"))  # of a token of Simple JWT
            if found is not None:
                yield found

    # --- tokens ---

    def _encoded(self, call: form.Call, scope: Scope, keyword: str, position: int) -> _Found | None:
        payload = call.argument(position, keyword)
        if payload is None:
            return None
        claims = self._payloads.claims(payload, scope)
        ends = claims.has("exp")
        if ends:
            return self._lasting(call, scope, claims.sure["exp"])
        expiry, text = self._unlimited(claims)
        return self._found(call, scope, expiry, [scope.module.evidence(payload, text)])

    def _unlimited(self, claims: Claims) -> tuple[Expiry, str]:
        """What is known of a payload that has no `exp` on every path."""
        known = {*claims.sure, *claims.perhaps}
        if claims.is_open:
            return Expiry.UNKNOWN, "not all of its claims can be told"
        if "exp" in known:
            return Expiry.SOMETIMES, "some paths set no `exp`"
        if known <= _OF_ISSUERS:
            return Expiry.FOREIGN, "it says nothing of a user"
        if any(_ENDING & set(words(key)) for key in known) or self._is_of_ending_row(claims):
            return Expiry.OTHERWISE, "there is no `exp`; something else says when it ends"
        if "iat" in known and self._age_is_asked:
            return Expiry.OTHERWISE, "there is no `exp`; code compares the age of a token"
        return Expiry.NEVER, "there is no `exp` in it"

    @cached_property
    def _age_is_asked(self) -> bool:
        """Whether code compares when a token was issued with something."""
        modules = dict.fromkeys(scope.module for _, scope in self._project.calls_named("decode"))
        compared = (
            part
            for module in modules
            for node in form.walk_body(module.facts.body)
            if isinstance(node, form.Compare)
            for part in form.walk(node)
        )
        return any(isinstance(part, form.Const) and part.value == "iat" for part in compared)

    def _is_of_ending_row(self, claims: Claims) -> bool:
        """Whether the token carries a field of a record that says itself when it ends."""
        for node, scope in (item for items in claims.sure.values() for item in items):
            owner = self._project.infer(node.value, scope) if isinstance(node, form.Attr) else None
            cls = owner.cls if isinstance(owner, Instance) else None
            if cls is not None and any(
                _ENDING & set(words(name)) for name in (*cls.scope.bindings, *cls.assigned_to_self)
            ):
                return True
        return False

    def _decoded(self, call: form.Call, scope: Scope) -> _Found | None:
        options = call.argument(3, "options")
        if options is None:
            return None
        checked = self._production.item(options, scope, "verify_exp").found
        verified = self._production.item(options, scope, "verify_signature").found
        if not any(m.value is False for m in checked) or any(m.value is False for m in verified):
            return None
        handled = (b.handles for b in way_to(scope.body, call.start) if b.turn is Turn.HANDLED)
        is_ended = any("Expired" in name for names in handled for name in names)
        is_apart = is_ended or bool(_AFTER_THE_END & set(words(scope.qualname)))
        expiry = Expiry.OTHERWISE if is_apart else Expiry.UNCHECKED
        return self._found(call, scope, expiry, [scope.module.evidence(call, "it takes tokens that have ended")])

    def _given(self, call: form.Call, scope: Scope, node: form.Expr | None) -> _Found | None:
        """A lifetime that the call is told; None and False stand for none."""
        if node is None:
            return None
        if isinstance(node, form.Const) and (node.value is None or node.value is False):
            return self._found(call, scope, Expiry.NEVER, [scope.module.evidence(node, "it says that it never ends")])
        return self._lasting(call, scope, [(node, scope)])

    def _lasting(self, call: form.Call, scope: Scope, ends: Iterable[tuple[form.Expr, Scope]]) -> _Found:
        found = [lifetime for end in ends for lifetime in self._longest(*end)]
        longest = max(found, key=_weight, default=None)
        if longest is not None and (speaks_of_lasting(scope) or is_lasting(last_name(call.func) or "")):
            longest = Lifetime(longest.seconds, longest.evidence, is_lasting=True)
        evidence = [scope.module.evidence(call, "it ends"), *([longest.evidence] if longest is not None else [])]
        return self._found(call, scope, Expiry.LIMITED, evidence, longest)

    def _longest(self, node: form.Expr, scope: Scope) -> list[Lifetime]:
        return self._lifetimes.until(node, scope) or [
            lifetime for lifetime in self._lifetimes.numbers(node, scope) if lifetime.seconds < 1_000_000_000
        ]

    # --- signed texts ---

    def _read(self, call: form.Call, scope: Scope, name: str) -> _Found | None:
        age = call.argument(_READERS[name], "max_age")
        spoken = set(words(scope.qualname)) | self._salt_words(call, scope)
        if age is not None and not (isinstance(age, form.Const) and age.value is None):
            found = self._lasting(call, scope, [(age, scope)])
            if found.lifetime is None or _ACCOUNTS & spoken:
                return found
            return replace(found, lifetime=replace(found.lifetime, is_lasting=True))
        if call.has_double_star or call.keyword("return_timestamp") is not None:
            return self._found(call, scope, Expiry.OTHERWISE, [scope.module.evidence(call, "its age is told apart")])
        if _FOR_GOOD & spoken:
            return self._found(call, scope, Expiry.AGELESS, [scope.module.evidence(call, "it is to work for good")])
        if "Time" not in name and any(part in name for part in _WITHOUT_TIME):
            expiry = Expiry.UNTIMED if _OPENING & spoken else Expiry.AGELESS
            return self._found(call, scope, expiry, [scope.module.evidence(call, "such a signature holds no time")])
        expiry = Expiry.ANY_AGE if _OPENING & spoken else Expiry.UNTIMED
        return self._found(call, scope, expiry, [scope.module.evidence(call, "it is taken however old it is")])

    def _salt_words(self, call: form.Call, scope: Scope) -> set[str]:
        """The words of the texts that tell the signer apart: its salt, and the names on the way to it."""
        receiver = call.func.value if isinstance(call.func, form.Attr) else call.func
        names = [last_name(n) or "" for n in form.walk(receiver) if isinstance(n, form.Name | form.Attr)]
        signer = self._project.infer(receiver, scope)
        made = signer.origin if isinstance(signer, Instance) else None
        salts = [part.keyword("salt") for part in (call, made) if part is not None]
        texts = [str(n.value) for n in (*form.walk(receiver), *salts) if isinstance(n, form.Const)]
        return {word for text in (*names, *texts) for word in words(text)}

    # --- lifetimes that are stated ---

    def _stated(self, name: str, place: Location) -> Iterator[_Found]:
        node, scope = node_at(place, self._project), scope_at(place, self._project)
        if node is None or isinstance(node, form.Stmt):
            return
        if isinstance(node, form.Const) and not node.value:
            yield _Found(name, scope, place, Expiry.NEVER, (Evidence(place, "it says that it never ends"),))
            return
        longest = max(self._longest(node, scope), key=_weight, default=None)
        if longest is not None and is_lasting(name):
            longest = Lifetime(longest.seconds, longest.evidence, is_lasting=True)
        yield _Found(name, scope, place, Expiry.LIMITED, (Evidence(place, "it ends"),), longest)

    def _found(
        self, call: form.Call, scope: Scope, expiry: Expiry, evidence: list[Evidence], lifetime: Lifetime | None = None
    ) -> _Found:
        callee = form.dotted(call.func) or last_name(call.func) or "encode"
        return _Found(callee, scope, scope.module.location(call), expiry, tuple(evidence), lifetime)


def _weight(lifetime: Lifetime) -> float:
    """How much of what it may last: what is to last long may do so about ten times as long."""
    return lifetime.seconds / (10 if lifetime.is_lasting else 1)


def _known_as(name: str) -> str:
    """The name without the submodule that a class is defined in."""
    parts = name.split(".")
    if parts[0] == "itsdangerous" and len(parts) == 4:
        del parts[1]
    return ".".join(parts)
