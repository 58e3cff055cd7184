"""Fields that hold a credential, as far as their names tell: who sees one can act as somebody else."""

from __future__ import annotations

from enum import Enum, auto
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words
from assay.scanner.dataflow.secrets.names import Secrecy, is_password, is_password_hash, secrecy

_FLAGS = frozenset({"is", "has", "no", "use", "needs", "requires", "show", "allow", "enable", "must", "can", "with"})
_HASHES = frozenset({"hash", "hashed", "digest"})
_NUMBERS = frozenset(
    {("ssn",), ("cvv",), ("cvc",), ("card", "number"), ("social", "security", "number"), ("cardnumber",)}
)
_SEEDS = frozenset({"otp", "totp", "mfa", "2fa"})
_KEYS = frozenset({"secret", "secrets", "key", "keys", "apikey"})
_NO_TOKENS = frozenset(
    {"csrf", "xsrf", "page", "next", "sync", "cursor", "continuation", "pagination", "prev", "previous", "type"}
)
_PUBLIC = frozenset(
    {"public", "publishable", "site", "push", "device", "fcm", "apns", "share", "sharing", "invite", "invitation"}
)
"""What such tokens and keys are for that are handed to others on purpose."""


class Credential(Enum):
    """What kind of credential a field holds."""

    PASSWORD = auto()
    """A password, or what one was made into."""
    KEY = auto()
    """A secret, a private or an API key, the hash of one, a number that nobody is to see."""
    TOKEN = auto()
    PERHAPS = auto()
    """Something of that name may be a credential, or only be called so."""


@lru_cache(maxsize=8192)
def credential(name: str) -> Credential | None:
    """What a field of that name holds; None where it is no credential."""
    parts = words(name)
    if not parts or parts[0] in _FLAGS:
        return None
    if is_password(name) or is_password_hash(name):
        return Credential.PASSWORD
    if any(parts[-len(number) :] == number for number in _NUMBERS):
        return Credential.KEY
    if parts[-1] == "seed" and not _SEEDS.isdisjoint(parts):
        return Credential.KEY
    if parts[-1] in _HASHES or parts[0] in _HASHES:
        rest = [part for part in parts if part not in _HASHES]
        return Credential.KEY if rest and secrecy("_".join(rest)) is Secrecy.SECRET else None
    if secrecy(name) is not Secrecy.SECRET or not _NO_TOKENS.isdisjoint(parts):
        return None
    if not _PUBLIC.isdisjoint(parts):
        return Credential.PERHAPS
    if parts[-1] in _KEYS:
        return Credential.PERHAPS if "session" in parts else Credential.KEY
    return Credential.TOKEN if parts[-1] in ("token", "tokens") else Credential.PERHAPS
