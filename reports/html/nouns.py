"""What a person calls the subjects of a type: `LogCall` is a log call, and three of them are log calls."""

from __future__ import annotations

import re

from assay.reports.plain import plain

__all__ = ["counted", "noun"]

_ACRONYMS = {"api", "ci", "cors", "csrf", "html", "http", "json", "jwt", "ldap", "sql", "tls", "url", "xml"}
_WORD = re.compile(r"[A-Z]+(?![a-z])|[A-Z][a-z]*|[a-z]+|[^A-Za-z ]+")
_UNCOUNTABLE = ("benchmarking", "data", "files", "telemetry", "testing", "traffic", "work")


def noun(kind: str) -> str:
    """`SqlSite` is a "SQL site"; a kind that is written in words already stays what it is."""
    words = _WORD.findall(kind) if " " not in kind else kind.split(" ")
    return plain(" ".join(word.upper() if word.lower() in _ACRONYMS else word.lower() for word in words))


def counted(number: int, kind: str) -> str:
    """`1 log call`, `2,000 queries`."""
    return f"{number:,} {noun(kind) if number == 1 else _plural(noun(kind))}"


def _plural(word: str) -> str:
    if word.endswith(_UNCOUNTABLE):
        return word
    if word.endswith("y") and not word.endswith(("ay", "ey", "oy", "uy")):
        return word[:-1] + "ies"
    return word + ("es" if word.endswith(("s", "x", "ch", "sh")) else "s")
