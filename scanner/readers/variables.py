"""Variable references in Dockerfiles, compose files and shell words: `$X`, `${X}`, `${X:-default}`, `$$`."""

from __future__ import annotations

import re
from collections.abc import Mapping

REFERENCE = re.compile(
    r"\$(?:(?P<escaped>\$)|(?P<bare>[A-Za-z_]\w*|[0-9@*#?])|\{(?P<name>[A-Za-z_]\w*|[0-9@*#])(?P<rest>[^{}]*)\})"
)
NESTING = 5
"""How deep a default may itself hold a reference before it is left as it stands."""


def expand(text: str, values: Mapping[str, str]) -> str:
    """Replace what is known; a reference to an unknown variable without default stays as it is written."""
    for _ in range(NESTING):
        expanded = REFERENCE.sub(lambda match: _value(match, values), text)
        if expanded == text:
            break
        text = expanded
    return text


def is_resolved(text: str) -> bool:
    """No reference is left in it."""
    return REFERENCE.search(text) is None and "$(" not in text and "`" not in text


def _value(match: re.Match[str], values: Mapping[str, str]) -> str:
    if match["escaped"]:
        return match[0]
    name, rest = match["bare"] or match["name"], match["rest"] or ""
    value = values.get(name)
    operator, default = _operator(rest)
    if operator in (":-", ":="):
        return value or default
    if operator in ("-", "="):
        return default if value is None else value
    if operator in (":+", "+"):
        return default if value else ""
    return match[0] if value is None else value


def _operator(rest: str) -> tuple[str, str]:
    for operator in (":-", ":=", ":+", ":?", "-", "=", "+", "?"):
        if rest.startswith(operator):
            return operator, rest[len(operator) :]
    return "", rest
