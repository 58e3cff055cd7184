"""SEC2: tokens are sound, and roles decide who may do what."""

from __future__ import annotations

from assay.scanner.model.crypto import Randomness, RandomUse
from assay.scanner.model.service import Service
from assay.scanner.model.token import TokenVerification, Verification
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
