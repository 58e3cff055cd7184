"""SEC2: tokens are sound, and roles decide who may do what."""

from __future__ import annotations

from assay.scanner.model.crypto import Randomness, RandomUse
from assay.scanner.model.service import Service
from assay.scanner.rulebook import rule
from assay.scanner.verdicts import Severity, Verdict, fail, not_applicable, passed, review


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
