"""SEC2: tokens are sound, and roles decide who may do what."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.model.crypto import Randomness, RandomUse
from assay.scanner.model.endpoint import Endpoint
from assay.scanner.model.key import Comparison, Expiry, KeyOrigin, SecretComparison, SigningKey, TokenIssue
from assay.scanner.model.service import Service
from assay.scanner.model.token import Algorithms, TokenVerification, Verification
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


@rule(
    "SEC201",
    severity=Severity.CRITICAL,
    cwe=(347, 345),
    references=(
        "RFC 8725 §3.1",
        "https://cheatsheetseries.owasp.org/cheatsheets/JSON_Web_Token_for_Java_Cheat_Sheet.html",
    ),
)
def token_signature_not_verified(token: TokenVerification, service: Service) -> Verdict:
    """What a signed token says is believed although nothing verifies its signature.

    Why: anybody writes a token that names another user or another role, and is let in as that.
    Fix: decode with the key and the expected algorithms, in one place; read a token unverified only to choose the key.
    """
    proof = token.evidence
    match token.verification:
        case Verification.VERIFIED:
            return passed("its signature is verified", *proof)
        case Verification.SAME_TOKEN:
            return passed("the same token is verified on every path", *proof)
        case Verification.OWN:
            return passed("the service itself has just made it", *proof)
        case Verification.DEVELOPMENT:
            return not_applicable("production never gets there", *proof)
        case Verification.NO_CLAIMS:
            return not_applicable("nothing is read that says who somebody is", *proof)
        case Verification.NONE if token.offline is None:
            return fail("a client's token is believed unverified; decode it with the key and the algorithms", *proof)
        case Verification.ELSEWHERE:
            return review("is this token verified on every path before its claims are used?", *proof)
        case Verification.TRUSTED_SOURCE:
            return review("does this token come straight from its issuer, over TLS?", *proof)
    return review("is this token verified before its claims are used?", *proof)


@rule(
    "SEC202",
    severity=Severity.HIGH,
    cwe=(347, 327),
    references=("RFC 8725 §3.1", "OWASP API2:2023", "https://pyjwt.readthedocs.io/en/stable/algorithms.html"),
)
def jwt_algorithm_not_pinned(token: TokenVerification, service: Service) -> Verdict:
    """A token is verified by whatever algorithm the token itself names.

    Why: where a public key verifies, anybody signs a token with that key as a shared one, and it is taken.
    Fix: name the algorithms in the call, all of one family: `algorithms=["RS256"]`.
    """
    proof = token.algorithm_evidence
    match token.algorithms:
        case None:
            return not_applicable("no signature is verified here")
        case Algorithms.ANY:
            return fail(
                "the token names its algorithm itself; add `algorithms=[...]` with the one you sign with", *proof
            )
        case Algorithms.TOKEN:
            return fail("the token's header chooses the algorithm; name the one that you sign with", *proof)
        case Algorithms.MIXED:
            text = "it takes algorithms for shared keys and for pairs of keys; keep those of the one that you sign with"
            return fail(text, *proof)
        case Algorithms.ABSENT:
            return review(
                "does this version of the library take the algorithm that the token names? name yours", *proof
            )
        case Algorithms.UNKNOWN:
            return review("are these algorithms fixed, and all of one family?", *proof)
        case Algorithms.FIXED:
            return passed("the library or the key fixes the algorithm", *proof)
    return passed("the algorithms are named, all of one family", *proof)


@dataclass(frozen=True, slots=True)
class TokenLifetimes:
    """`asked_hours` is how long a token may open everything unasked, `access_days` how long at most; `lasting_days` how
    long one may last that renews, remembers or invites.
    """

    asked_hours: int = 24
    access_days: int = 7
    lasting_days: int = 90


_NEEDLESS = {
    Expiry.FOREIGN: "it speaks for the service itself to another one",
    Expiry.AGELESS: "it is to work for as long as anybody has it",
}
_ENDLESS = {
    Expiry.NEVER: "the token never ends; set `exp`, or a lifetime",
    Expiry.UNCHECKED: "it is taken after its end; leave `verify_exp` on",
    Expiry.ANY_AGE: "it is taken however old it is; pass `max_age`",
}
_UNSURE = {
    Expiry.UNTIMED: "does something end what this signature lets in?",
    Expiry.SOMETIMES: "is this only called so that the token ends?",
    Expiry.OTHERWISE: "does the code that takes this token test that it hasn't ended?",
    Expiry.UNKNOWN: "is `exp` among the claims of this token?",
}


@rule(
    "SEC203",
    severity=Severity.HIGH,
    cwe=(613,),
    references=(
        "RFC 7519 §4.1.4",
        "RFC 8725 §3.10",
        "OWASP API2:2023",
        "https://itsdangerous.palletsprojects.com/en/stable/timed/",
    ),
)
def token_without_expiry(token: TokenIssue, service: Service, options: TokenLifetimes) -> Verdict:
    """A token works for ever, or for far too long.

    Why: a token that is stolen, logged or kept by somebody who has left opens the account for as long as it works.
    Fix: set `exp` to some minutes or hours from now and renew it, pass `max_age` where a signed link is read, and let
    the library check them.
    """
    proof = token.evidence
    if token.aside is not None:
        return not_applicable(token.aside, *proof)
    if token.expiry in _NEEDLESS:
        return not_applicable(_NEEDLESS[token.expiry], *proof)
    if token.expiry in _ENDLESS:
        return fail(_ENDLESS[token.expiry], *proof)
    if token.expiry in _UNSURE:
        return review(_UNSURE[token.expiry], *proof)
    hours = (token.seconds or 0) / 3600
    if not token.is_lasting and hours > options.access_days * 24:
        return fail(f"it opens the account for {_length(hours)}; let it end within hours, and renew it", *proof)
    if hours > (options.lasting_days * 24 if token.is_lasting else options.asked_hours):
        return review(f"it works for {_length(hours)}: can it be withdrawn, and is that what is wanted?", *proof)
    return passed("it ends" if token.seconds is None else f"it ends after {_length(hours)}", *proof)


def _length(hours: float) -> str:
    """A number of hours as people say it."""
    number, unit = (hours * 60, "minute") if hours < 1 else (hours, "hour") if hours < 48 else (hours / 24, "day")
    return f"{round(number)} {unit}" + ("s" if round(number) != 1 else "")


@rule(
    "SEC204",
    severity=Severity.CRITICAL,
    cwe=(321, 798, 1188),
    references=(
        "OWASP A02:2021",
        "OWASP API2:2023",
        "https://docs.djangoproject.com/en/stable/ref/settings/#secret-key",
        "https://flask.palletsprojects.com/en/stable/config/#SECRET_KEY",
    ),
)
def hardcoded_or_default_signing_key(key: SigningKey, service: Service) -> Verdict:
    """The key that signs sessions or tokens is written in the code, or is a text there where nobody sets another one.

    Why: whoever can read the code makes sessions and tokens for any user, and production runs with it unnoticed.
    Fix: read the key from the environment or a secret store, without a default, so that the service doesn't start
    without one; change the old one, which stays in the history.
    """
    proof = key.evidence
    if key.aside is not None:
        return not_applicable(key.aside, *proof)
    match key.origin:
        case KeyOrigin.PUBLIC:
            return not_applicable("it only verifies: everybody may know it", *proof)
        case KeyOrigin.UNKNOWN:
            return not_applicable("nothing shows that the code states it", *proof)
        case KeyOrigin.CODE:
            return fail(f"the key `{key.what}` is written in the code; read it from outside and change it", *proof)
        case KeyOrigin.DEFAULT:
            text = f"where `{key.what}` isn't set, a text from the code signs; drop it so that the start fails"
            return fail(text, *proof)
        case KeyOrigin.PERHAPS_REFUSED:
            return review(f"does the service start with the text that the code has for `{key.what}`?", *proof)
        case KeyOrigin.EMPTY:
            return review(f"does the service start while `{key.what}` is empty?", *proof)
        case KeyOrigin.RANDOM | KeyOrigin.LOCAL:
            return passed("nobody can guess it: it is made up, though not once for all instances", *proof)
        case KeyOrigin.REFUSED:
            return passed("the service refuses to start with the text that the code has", *proof)
    return passed("it comes from outside of the code", *proof)


@rule(
    "SEC205",
    severity=Severity.MEDIUM,
    cwe=(208, 385),
    references=("CWE-208", "https://docs.python.org/3/library/hmac.html#hmac.compare_digest"),
)
def timing_unsafe_secret_comparison(comparison: SecretComparison, service: Service) -> Verdict:
    """What a client sends is compared with a secret by `==`.

    Why: the comparison takes the longer the more characters are right, so that a signature or a key can be guessed
    piece by piece by whoever measures many answers.
    Fix: compare with `hmac.compare_digest` or `django.utils.crypto.constant_time_compare`, both sides as bytes.
    """
    proof = comparison.evidence
    if comparison.aside is not None:
        return not_applicable(comparison.aside, *proof)
    match comparison.comparison:
        case Comparison.PLAIN:
            return fail("it compares a secret with what a client sent; use `hmac.compare_digest`", *proof)
        case Comparison.OF_A_CODE:
            return review("is this code secret? then compare it by `hmac.compare_digest`", *proof)
        case Comparison.PERHAPS_SENT:
            return review("does a client send one of these? then compare them by `hmac.compare_digest`", *proof)
    return passed("it takes as long whatever a client sends", *proof)


@rule(
    "SEC207",
    severity=Severity.CRITICAL,
    cwe=(862, 269),
    references=("OWASP API5:2023", "OWASP A01:2021"),
)
def privileged_endpoint_without_role_check(endpoint: Endpoint, service: Service) -> Verdict:
    """Whoever is signed in may do what is for administrators.

    Why: one ordinary account, bought or stolen, is enough to delete users, to hand out roles or to change
    settings for all.
    Fix: ask for a named role or permission at the route, and let everybody else have a 403.
    """
    privilege = endpoint.privilege
    if not endpoint.auth:
        return not_applicable("nothing asks who is calling")
    if privilege is None:
        return not_applicable("nothing shows that it is for few")
    if privilege.roles:
        return passed(f"{privilege.what}, and a role is asked for", *privilege.roles)
    if privilege.own is not None:
        return not_applicable("it keeps to what belongs to the caller", privilege.own)
    if privilege.unread:
        return review(f"{privilege.what}: does `{endpoint.auth[0]}` ask for a role?", *privilege.unread)
    proof = (*privilege.evidence, *endpoint.guards)
    return fail(f"{endpoint.label}: {privilege.what}, and any signed-in user may; ask for a role", *proof)


@rule(
    "SEC209",
    severity=Severity.HIGH,
    cwe=(330, 338),
    references=("CWE-338", "https://docs.python.org/3/library/secrets.html"),
)
def weak_randomness_for_secret(value: RandomUse, service: Service) -> Verdict:
    """A token, password or code is made by a generator whose values can be foreseen.

    Why: whoever has seen some of its values, or knows the time, works out the others and is let in with them.
    Fix: use `secrets.token_urlsafe`, `secrets.choice` or `secrets.randbelow`.
    """
    found = value.secret or value.perhaps
    if value.randomness is Randomness.SYSTEM:
        if value.is_for_secrets or found is not None:
            return passed("it comes from the system's generator", *([found] if found else []))
        return not_applicable("no secret is made of it")
    if found is None:
        return not_applicable("no secret is made of it")
    if value.aside is not None:
        return not_applicable(value.aside, found)
    if value.secret is not None:
        return fail(f"`{value.what}` makes a secret that can be foreseen; use `secrets`", value.secret)
    return review(f"does it do harm if somebody foresees what `{value.what}` gives here?", found)
