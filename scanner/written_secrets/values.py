"""What stands where a secret belongs: a value, a word, a placeholder, a reference."""

from __future__ import annotations

import re

from assay.scanner.dataflow.secrets.credential_formats import Look, known_format, login_in, look
from assay.scanner.dataflow.secrets.secret_names import holds_secret, speaks_about_secrets
from assay.scanner.model.written_secret import Held

_KEY = re.compile(r"-----BEGIN (\w+ )*PRIVATE KEY-----")
_REFERENCE = re.compile(
    r"\$\{?\w+[^}]*\}*|\{\{.*\}\}|%\(.*\)s|<[^>]*>|\$\(.*\)"
    r"|(vault|secret(s?manager)?|ssm|aws-?sm|sm|gs?m|gcp|akv|azurekeyvault|op|bws|doppler|infisical|keyring|file"
    r"|ref\+\w+)(:[\w-]+)?:[/\w].*"
    r"|arn:aws[\w-]*:(secretsmanager|ssm|kms):.*|projects/[^/]+/secrets/.*|ENC\[.*\]|encrypted:.*",
    re.DOTALL,
)
"""What is put in its place: a variable, an entry of a store of secrets, or the secret out of its encryption."""
_LOGIN_OF_REGISTRY = re.compile(r"\"(auth|password|identitytoken)\"\s*:\s*\"[^\"$]{4,}\"")
_SWITCH = re.compile(r"(?i)true|false|yes|no|on|off|\d{1,6}|none|null|trust|md5|scram-sha-256")


def held_in_secret(name: str, value: str | None) -> Held | None:
    """What an entry of a Secret holds: there a random text is a secret, whatever it is called."""
    text = (value or "").strip()
    if name in (".dockerconfigjson", ".dockercfg"):
        return Held.VALUE if _LOGIN_OF_REGISTRY.search(text) else None
    is_telling = not speaks_about_secrets(name) and not re.search(r"[.:@\s]", text)
    if is_telling and look(text) in (Look.RANDOM, Look.HEX) and not _REFERENCE.fullmatch(text):
        return Held.VALUE
    return held_in(name, value)


def held_in(name: str, value: str | None) -> Held | None:
    """What the variable holds; None where it is no secret at all. A value of None comes from elsewhere."""
    is_named = holds_secret(name)
    if value is None:
        return Held.OUTSIDE if is_named else None
    text = value.strip()
    if _KEY.search(text) or known_format(text) is not None:
        return Held.VALUE
    login = login_in(text)
    if login is not None:
        return _of(login[0])
    if not is_named or _SWITCH.fullmatch(text) or text.startswith(("/", "http://", "https://")):
        return None
    return _of(text)


def _of(text: str) -> Held:
    if not text or _REFERENCE.fullmatch(text):
        return Held.OUTSIDE
    found = look(text)
    if found in (Look.RANDOM, Look.HEX, Look.PASSWORD, Look.HASH):
        return Held.VALUE
    return Held.PLACEHOLDER if found is Look.PLACEHOLDER else Held.SIMPLE
