"""Which names stand for secrets and for personal data, told by their words and never by substrings.

A name means what its last word means: `access_token` is a token, `token_type` a type. Words that only say how a thing
is written down (`token_value`, `password2`) are passed over.
"""

from __future__ import annotations

import re
from functools import lru_cache

from assay.scanner.model.log import Sensitivity

_WORD = re.compile(r"[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")

_CREDENTIAL_WORDS = frozenset(
    {
        "password", "passwords", "passwd", "pwd", "passphrase", "secret", "secrets", "token", "apikey", "apitoken",
        "credential", "credentials", "creds", "otp", "totp", "cvv", "cvc", "ssn", "iban", "authorization", "jwt",
    }
)  # fmt: skip
_CREDENTIAL_PAIRS = frozenset(
    {
        ("api", "key"), ("api", "keys"), ("private", "key"), ("secret", "key"), ("access", "key"), ("signing", "key"),
        ("encryption", "key"), ("session", "key"), ("session", "cookie"), ("auth", "cookie"),
        ("auth", "header"), ("auth", "key"), ("master", "key"), ("service", "key"), ("credit", "card"),
        ("debit", "card"), ("card", "number"), ("card", "num"), ("account", "number"), ("account", "num"),
        ("routing", "number"), ("routing", "num"), ("pass", "phrase"), ("pass", "code"), ("access", "tokens"),
        ("refresh", "tokens"), ("api", "tokens"), ("auth", "tokens"), ("recovery", "codes"), ("backup", "codes"),
        ("passport", "number"), ("security", "number"),
    }
)  # fmt: skip
_WHOLE_CREDENTIALS = frozenset({"pin", "pan", "ccn", "passport", "sessionid"})
"""Words that mean a secret only when they are the whole name: `gpio_pin` and `frying_pan` exist."""
_SEVERAL_MEANINGS = frozenset({"pin", "pan"})
_NOT_TOKENS = frozenset(
    {
        "csrf", "csrfmiddleware", "xsrf", "page", "next", "prev", "previous", "continuation", "sync", "cursor",
        "cancel",
        "cancellation", "stop", "start", "end", "eos", "bos", "pad", "unk", "mask", "max", "min", "prompt",
        "completion",
        "input", "output", "total", "num", "per", "lex", "lexer", "syntax", "parser", "cache", "resume", "concurrency",
        "public", "template", "placeholder", "context", "ctx",
    }
)  # fmt: skip
"""Words before `token` that make it something else."""
_NOT_SECRETS = frozenset(
    {"is", "has", "no", "use", "uses", "needs", "requires", "missing", "valid", "invalid", "num", "with"}
)
"""First words of names that hold a yes, a no or a number."""
_WRITTEN = frozenset(
    {
        "value", "values", "str", "string", "text", "plain", "plaintext", "raw", "bytes", "b64", "base64", "hex",
        "encoded",
        "decoded", "header", "param", "var", "env",
    }
)  # fmt: skip

_PERSONAL_WORDS = frozenset({"email", "emails", "phone", "telephone", "birthday", "birthdate", "dob", "surname"})
_PERSONAL_PAIRS = frozenset(
    {
        ("e", "mail"), ("email", "address"), ("ip", "address"), ("remote", "addr"), ("client", "ip"), ("phone",
        "number"),
        ("first", "name"), ("last", "name"), ("full", "name"), ("street", "address"), ("home", "address"),
        ("postal", "address"), ("birth", "date"), ("user", "ip"), ("remote", "ip"),
    }
)  # fmt: skip

_MASKING = frozenset(
    {
        "mask", "masked", "redact", "redacted", "obfuscate", "obfuscated", "censor", "censored", "scrub", "scrubbed",
        "sanitize", "sanitized", "sanitise", "sanitised", "anonymize", "anonymized", "hash", "hashed", "fingerprint",
        "digest", "hexdigest", "sha1", "sha", "sha256", "md5", "hmac", "encrypt", "encrypted", "len", "bool", "type",
        "isinstance", "hide", "hidden", "shorten", "truncate", "sensitive",
    }
)  # fmt: skip


@lru_cache(maxsize=16_384)
def words(name: str) -> tuple[str, ...]:
    """The words of a name or text in lower case: split at underscores, other signs, digits and capitals."""
    return tuple(word.lower() for word in _WORD.findall(name))


@lru_cache(maxsize=16_384)
def sensitivity(name: str) -> Sensitivity | None:
    """What a thing of that name holds, as far as names tell; None for nothing worth protecting."""
    parts = _meaningful(words(name))
    if not parts or parts[0] in _NOT_SECRETS or masks(name):
        return None
    if _is_credential(parts):
        return Sensitivity.CREDENTIAL
    if parts[-1] in _PERSONAL_WORDS or parts[-2:] in _PERSONAL_PAIRS:
        return Sensitivity.PERSONAL
    return None


def has_several_meanings(name: str) -> bool:
    """Whether a thing of that name is a secret in one trade and a part of a circuit or a camera in another."""
    return words(name)[-1:] in {(word,) for word in _SEVERAL_MEANINGS}


def masks(name: str) -> bool:
    """Whether a function of that name gives something from which the secret can't be had, or a value is said to be
    such already.
    """
    return not _MASKING.isdisjoint(words(name))


def _meaningful(parts: tuple[str, ...]) -> tuple[str, ...]:
    """Without words at the end that say only how or how often the thing is written."""
    end = len(parts)
    while end > 1 and (parts[end - 1].isdigit() or parts[end - 1] in _WRITTEN):
        end -= 1
    return parts[:end]


def _is_credential(parts: tuple[str, ...]) -> bool:
    if parts[-2:] in _CREDENTIAL_PAIRS:
        return True
    if len(parts) == 1 and parts[0] in _WHOLE_CREDENTIALS:
        return True
    if parts[-1] not in _CREDENTIAL_WORDS:
        return False
    return parts[-1] != "token" or _NOT_TOKENS.isdisjoint(parts[:-1])
