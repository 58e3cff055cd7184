"""Whether a text looks like a password, a key or a token: formats of well-known services, randomness, placeholders."""

from __future__ import annotations

import math
import re
from collections import Counter
from enum import Enum, auto
from functools import lru_cache

from assay.scanner.dataflow.lexicon import words

_FORMATS: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "a private key",
        re.compile(r"-----BEGIN (?:RSA |EC |DSA |OPENSSH )?PRIVATE KEY-----\s+(?:[A-Za-z0-9+/=\\]\s*){60}"),
    ),
    ("an AWS access key", re.compile(r"(?<![A-Z0-9])(?:AKIA|ASIA)[A-Z2-7]{16}(?![A-Z0-9])")),
    ("a GitHub token", re.compile(r"\b(?:gh[pousr]_[A-Za-z0-9]{36,}|github_pat_[A-Za-z0-9_]{60,})")),
    ("a GitLab token", re.compile(r"\bglpat-[A-Za-z0-9_-]{20,}")),
    ("a Slack token", re.compile(r"\bxox[abeprs]-(?:\d+-){1,3}[A-Za-z0-9-]{16,}")),
    ("a Slack webhook", re.compile(r"hooks\.slack\.com/services/T[A-Z0-9]{8,}/B[A-Z0-9]{8,}/[A-Za-z0-9]{20,}")),
    ("a Stripe key", re.compile(r"\b[sr]k_live_[A-Za-z0-9]{16,}")),
    ("a Google API key", re.compile(r"\bAIza[A-Za-z0-9_-]{35}(?![A-Za-z0-9_-])")),
    ("a Google client secret", re.compile(r"\bGOCSPX-[A-Za-z0-9_-]{28}")),
    ("an OpenAI key", re.compile(r"\bsk-(?:proj-|svcacct-)?[A-Za-z0-9]{20,}T3BlbkFJ[A-Za-z0-9]{20,}")),
    ("an Anthropic key", re.compile(r"\bsk-ant-[a-z0-9]+-[A-Za-z0-9_-]{80,}")),
    ("a SendGrid key", re.compile(r"\bSG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}")),
    ("an npm token", re.compile(r"\bnpm_[A-Za-z0-9]{36}\b")),
    ("a PyPI token", re.compile(r"\bpypi-AgEIcHlwaS5vcmc[A-Za-z0-9_-]{50,}")),
    ("a Telegram bot's token", re.compile(r"\b\d{8,10}:AA[A-Za-z0-9_-]{33}\b")),
)
HINT = re.compile(
    r"://[^/\s]*:[^/\s]*@|(?i:password|pwd)=|AKIA|ASIA|gh[pousr]_|github_pat|glpat-|xox[abeprs]-|hooks\.slack|k_live_"
    r"|AIza|GOCSPX|sk-|SG\.|npm_|pypi-|:AA|PRIVATE KEY"
)
"""What is in every text that holds a credential which can be told by its form, and in few others."""
_LOGIN = re.compile(
    r"^[a-z][a-z0-9+.-]*://[^/\s:@]*:(?P<password>[^/\s:@]+)@(?P<host>\[[^\]]+\]|[^/\s:?#]+)", re.IGNORECASE
)
_DSN = re.compile(r"(?i)\b(?:password|pwd)=(?P<password>[^\s;'\"]+)")
_DSN_HOST = re.compile(r"(?i)\b(?:host|server|data source)=(?P<host>[^\s;,]+)")
_PLACEHOLDERS = frozenset(
    {
        "abc", "bar", "baz", "change", "changed", "changeit", "changeme", "changethis", "default", "demo", "dummy",
        "enter", "example", "fake", "fixme", "foo", "foobar", "here", "insecure", "insert", "invalid", "mock",
        "mypassword", "mysecret", "none", "notsecure", "null", "placeholder", "redacted", "replace", "replaceme",
        "sample", "secret", "something", "somepassword", "string", "supersecret", "test", "testing", "testpass",
        "testpassword", "thisisasecret", "todo", "topsecret", "undefined", "unknown", "unsafe", "unset", "valid", "xxx",
        "xxxx", "your",
    }
)  # fmt: skip
"""Words of texts that nobody is let in with, or that say of themselves to be replaced."""
_HASHED = re.compile(
    r"^(?:\$(?:2[abxy]?|argon2\w*|5|6|1|y|scrypt)\$|\{?(?:pbkdf2|bcrypt|argon2|scrypt|sha256|sha512)[_:$])"
)
_HEX = re.compile(r"[0-9a-fA-F]+")
_WORDY = re.compile(r"[A-Za-z]+(?:[ _.:/-]+[A-Za-z]+)*[ _.:-]*")
_IDENTIFIER = re.compile(
    r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|[a-z][a-z0-9]*(?:[_.-][a-z][a-z0-9]*)+|[A-Za-z]\w*(?:\.[A-Za-z]\w*)+"
)
_PATH = re.compile(r"(?:[A-Za-z]:)?[~.]{0,2}/[\w./@{}-]*|.*\.(?:pem|key|crt|json|ya?ml|txt|env|html?|py|toml|ini|cfg)")


class Look(Enum):
    """How much a text, where a credential belongs, looks like one."""

    RANDOM = auto()
    """Long and without a pattern: nobody thinks up something like it."""
    PASSWORD = auto()
    """Mixed as passwords are."""
    WORD = auto()
    """It may be a simple password, or a name for something."""
    HEX = auto()
    """As long as a digest and written like one: a key, or what a password was made into."""
    HASH = auto()
    """What a password was made into, by its beginning."""
    PLACEHOLDER = auto()
    """It says itself that it is to be replaced, or hides something."""
    NAME = auto()
    """The name of a variable, a field or a module."""
    OTHER = auto()
    """A label, a path, an address."""


def known_format(text: str) -> str | None:
    """What the text is, or holds, by the form that a well-known service gives its keys."""
    for kind, pattern in _FORMATS:
        found = pattern.search(text)
        if found is not None and not _is_made_up(found[0]):
            return kind
    return None


def login_in(text: str) -> tuple[str, str] | None:
    """The password in an address (`postgresql://user:password@host`) or a list of parameters, and the host."""
    found = _LOGIN.match(text) if "://" in text else None
    if found is not None:
        return found["password"], found["host"].lower()
    host = _DSN_HOST.search(text) if "=" in text else None
    secret = _DSN.search(text) if host is not None else None
    return (secret["password"], host["host"].lower()) if secret is not None and host is not None else None


@lru_cache(maxsize=4_096)
def look(text: str) -> Look:
    """What the text looks like where a credential belongs."""
    if _HASHED.match(text):
        return Look.HASH
    if " " in text.strip() or "\n" in text or "://" in text or _PATH.fullmatch(text):
        return Look.OTHER
    if _is_placeholder(text):
        return Look.PLACEHOLDER
    if _IDENTIFIER.fullmatch(text):
        return Look.NAME
    if _HEX.fullmatch(text) and len(text) in (32, 40, 56, 64, 96, 128) and _entropy(text) > 2.5:
        return Look.HEX
    if len(text) >= 16 and _classes(text) >= 2 and _entropy(text) >= 3.3 and any(c.isdigit() for c in text):
        return Look.RANDOM
    if len(text) >= 20 and _entropy(text) >= 4 and not _WORDY.fullmatch(text):
        return Look.RANDOM
    if len(text) >= 6 and _classes(text) >= 2 and not _WORDY.fullmatch(text):
        return Look.PASSWORD
    return Look.WORD


def is_local(host: str) -> bool:
    """Whether a host is the machine itself, or one that a compose file gives its short name to."""
    return "." not in host or host.startswith(("0.", "10.", "127.", "192.168.")) or host.endswith(".local")


def _is_placeholder(text: str) -> bool:
    stripped = text.strip()
    if (
        not stripped
        or len(set(stripped)) <= 2
        or any(mark in stripped for mark in ("{", "}", "<", "$(", "${", "%(", "***", "..."))
    ):
        return True
    if stripped.startswith(("$", "%")) and _IDENTIFIER.fullmatch(stripped.strip("$%")):
        return True
    return not _PLACEHOLDERS.isdisjoint(words(stripped)) or _is_made_up(stripped)


def _is_made_up(text: str) -> bool:
    """Text that somebody typed to fill a space: `EXAMPLE`, `xxxxxxxx`, `1234567890`."""
    lower = text.lower()
    if "example" in lower or "xxxxx" in lower or "your" in lower or "placeholder" in lower:
        return True
    return any(run in lower for run in ("1234567890", "0123456789", "abcdefghij", "00000000"))


def _classes(text: str) -> int:
    """How many sorts of characters it has: small letters, capitals, digits, signs."""
    return sum(
        (
            any(c.islower() for c in text),
            any(c.isupper() for c in text),
            any(c.isdigit() for c in text),
            any(not c.isalnum() for c in text),
        )
    )


def _entropy(text: str) -> float:
    """Shannon's, in bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())
