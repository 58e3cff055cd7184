"""What a value is for, as far as the names tell that it is given: a secret, a signature, a name for something else."""

from __future__ import annotations

import re
from enum import Enum, auto
from functools import lru_cache

from assay.scanner.dataflow.lexicon import has_several_meanings, masks, sensitivity, words
from assay.scanner.model.log import Sensitivity

_PASSWORDS = frozenset({"password", "passwd", "pwd", "passphrase", "pw", "passwort", "passcode"})
_TYPED = frozenset({("pass",), ("user", "pass"), ("my", "pass"), ("upass",), ("psw",), ("pswd",)})
"""Names that forms have for passwords, and code for other things too."""
_LEAKS = frozenset({"breach", "breached", "compromised", "hibp", "leaked", "pwned", "pwnedpasswords"})
_PROTOCOL = frozenset({"realm", "nonce", "cnonce", "qop", "challenge", "ha1", "ha2"})
_CODES = frozenset(
    {
        "reset", "verification", "verify", "confirm", "confirmation", "activation", "auth", "authorization", "login",
        "otp", "mfa", "sms", "magic", "recovery", "backup", "invite", "invitation", "access", "pairing", "security",
        "signup", "registration", "unlock",
    }
)  # fmt: skip
"""What a code is for that lets somebody in."""
_KEYS = frozenset({"reset", "activation", "confirmation", "verification", "invite", "invitation"})
_WORTHS = frozenset(
    {"coupon", "voucher", "promo", "discount", "gift", "referral", "ticket", "booking", "join", "room", "redeem"}
)
"""What a code is for that is worth something to whoever guesses it."""
_NUMBERS = frozenset({"ssn", "iban", "cvv", "cvc"})
"""Credentials that nobody makes up: the word is another thing's name, or test data."""
_ACCOUNTS = frozenset({("account", "id"), ("account", "number"), ("account", "num"), ("account", "no")})
_SIGNATURES = frozenset({"signature", "signatures", "sig", "hmac", "integrity"})
_NAMING = frozenset(
    {
        "avatar", "bucket", "cache", "cached", "caching", "change", "changed", "changes", "color", "colour", "column",
        "constraint", "dedup", "dedupe", "deduplication", "duplicate", "duplicates", "etag", "etags", "experiment",
        "filename", "fingerprint", "gravatar", "group", "hue", "identicon", "index", "lock", "memo", "memoize",
        "modified", "partition", "percentage", "revision", "rollout", "seed", "shard", "sharding", "slug", "table",
        "thumbnail", "unique", "uniqueness", "variant", "version", "libravatar", "job", "favicon",
    }
)  # fmt: skip
"""Words of names for digests that only tell one thing from another."""
_NAMING_ANYWHERE = frozenset(
    {
        "avatar",
        "cache",
        "cached",
        "caching",
        "dedup",
        "dedupe",
        "etag",
        "gravatar",
        "identicon",
        "libravatar",
        "memoize",
    }
)
"""Those of them that say so wherever they stand."""
_IDS = frozenset({"id", "ids", "uid", "uuid", "identifier", "identity", "name", "filename", "basename", "path", "guid"})
_BEFORE_HOLE = re.compile(r"([\w-]*\w)[^\w-]{1,3}$")
"""A word with a sign or a space behind it: `token=`, but not the beginning of a longer word such as `token-`."""


class Secrecy(Enum):
    """How sure it is that nobody may guess a value of this name."""

    SECRET = auto()
    PERHAPS = auto()


@lru_cache(maxsize=16_384)
def secrecy(name: str) -> Secrecy | None:
    """Whether a value of that name lets somebody in who guesses it; None where it doesn't, as far as names tell."""
    parts = words(name.removesuffix("s") if name.endswith(("tokens", "passwords", "codes")) else name)
    while len(parts) > 1 and parts[-1].isdigit():
        parts = parts[:-1]
    if not parts:
        return None
    if _is_secret(name, parts):
        return Secrecy.SECRET
    if has_several_meanings(name) or parts[-2:] in _ACCOUNTS or parts in (("accountid",), ("accountnumber",)):
        return Secrecy.PERHAPS
    is_code = parts[-1] == "code" and (len(parts) == 1 or parts[-2] in _WORTHS)
    return Secrecy.PERHAPS if is_code or parts[-1] in ("salt", "nonce", "challenge") else None


def _is_secret(name: str, parts: tuple[str, ...]) -> bool:
    last, before = parts[-1], parts[-2] if len(parts) > 1 else ""
    if last in _PASSWORDS and not masks(name):
        return True
    if (last == "code" and before in _CODES) or (last == "key" and before in _KEYS):
        return True
    if (before, last) in (("session", "id"), ("csrf", "token"), ("xsrf", "token")) or parts in (("sid",), ("sessid",)):
        return True
    if last == "state" and "oauth" in parts:
        return True
    if last in _NUMBERS or parts[-2:] in _ACCOUNTS or has_several_meanings(name):
        return False
    if last in ("number", "num", "card", "authorization"):
        return False
    return sensitivity("_".join(parts)) is Sensitivity.CREDENTIAL


@lru_cache(maxsize=16_384)
def is_password(name: str) -> bool:
    """Whether a thing of that name is a password itself: no hash of one, nothing about one."""
    parts = words(name)
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1] in ("plain", "text", "raw", "input", "value", "bytes")):
        parts = parts[:-1]
    if parts in _TYPED:
        return True
    return bool(parts) and parts[-1] in _PASSWORDS and not masks(name) and not _is_flag(parts)


@lru_cache(maxsize=16_384)
def is_password_hash(name: str) -> bool:
    """Whether a thing of that name is what a password was made into."""
    parts = words(name)
    if parts in (("passhash",), ("pwhash",), ("passwordhash",)):
        return True
    return masks(name) and not _PASSWORDS.isdisjoint(parts) and parts[-1] in (*_PASSWORDS, "hash", "digest", "hashed")


def _is_flag(parts: tuple[str, ...]) -> bool:
    return parts[0] in ("is", "has", "no", "use", "needs", "requires", "wrong", "invalid", "forgot", "valid")


@lru_cache(maxsize=16_384)
def is_signature(name: str) -> bool:
    """Whether a digest of that name vouches for something."""
    parts = words(name)
    if not _SIGNATURES.isdisjoint(parts):
        return True
    return "sign" in (parts[:1] + parts[-1:]) and not {"in", "up", "on", "off", "out"} & set(parts)


@lru_cache(maxsize=16_384)
def only_identifies(name: str) -> bool:
    """Whether a digest of that name only tells one thing from another."""
    parts = words(name.replace("ETag", "etag"))
    return bool(parts) and (not _NAMING.isdisjoint(parts) or parts[-1] in _IDS)


@lru_cache(maxsize=16_384)
def names_things(text: str) -> bool:
    """Whether a text, or a dotted name, speaks of caches, pictures of users and the like."""
    return not _NAMING_ANYWHERE.isdisjoint(words(text))


def named_before(text: str) -> str:
    """The word right before a hole in a text: `token` of `/reset?token=`."""
    found = _BEFORE_HOLE.search(text[-60:])
    return found[1] if found else ""


def speaks_of_leaks(text: str) -> bool:
    """Whether a name or a text is about lists of passwords that leaked somewhere."""
    return not _LEAKS.isdisjoint(words(text))


def is_of_protocol(name: str) -> bool:
    """Whether a thing of that name goes into the digests of HTTP's authentication scheme (RFC 7616)."""
    return not _PROTOCOL.isdisjoint(words(name))


def is_address(name: str) -> bool:
    """Whether a thing of that name is the address of a mailbox."""
    return words(name)[-1:] in (("email",), ("mail",)) or words(name)[-2:] == ("email", "address")
