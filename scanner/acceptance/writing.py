"""One more waiver in a file of waivers, whose other text stays as it is, byte for byte."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable
from datetime import date

from assay.scanner.acceptance.waivers import Waiver

__all__ = ["HEADER", "next_id", "with_waiver"]

HEADER = """\
# Findings that were accepted: why, by whom, and until when. Once one expires, its finding counts again.
# `assay waivers` lists them; let CODEOWNERS protect this file.
"""
_NUMBERED = re.compile(r"W-(\d+)")


def next_id(waivers: Iterable[Waiver]) -> str:
    """The first free one after all that are numbered: W-001, W-002."""
    numbers = (int(match[1]) for waiver in waivers if (match := _NUMBERED.fullmatch(waiver.id)))
    return f"W-{max(numbers, default=0) + 1:03}"


def with_waiver(text: str, waiver: Waiver) -> str:
    """The file's text with the waiver at its end; a new file begins with a comment that says what it is."""
    newline = "\r\n" if "\r\n" in text else "\n"
    text = text or HEADER
    if not text.endswith(("\n", "\ufeff")):
        text += newline
    return text + newline + newline.join(("[[waiver]]", *_assignments(waiver))) + newline


def _assignments(waiver: Waiver) -> Iterable[str]:
    values: tuple[tuple[str, str | date], ...] = (
        ("id", waiver.id),
        ("rule", waiver.rule),
        ("subject", waiver.subject),
        ("path", waiver.path),
        ("finding", waiver.finding),
        ("reason", waiver.reason),
        ("owner", waiver.owner),
        ("approved-by", waiver.approver),
        ("ticket", waiver.ticket),
        ("created", waiver.created),
        ("expires", waiver.expires),
    )
    for key, value in values:
        if value:
            yield f"{key} = {value.isoformat() if isinstance(value, date) else _quoted(value)}"
    if waiver.maximum != sys.maxsize:
        yield f"max = {waiver.maximum}"


def _quoted(text: str) -> str:
    """A basic string (TOML 1.0 §String); what can't be seen is escaped, whoever wrote it."""
    return f'"{"".join(map(_escaped, text))}"'


def _escaped(sign: str) -> str:
    if sign in '"\\':
        return f"\\{sign}"
    if sign.isprintable():
        return sign
    number = ord(sign)
    if 0xD800 <= number <= 0xDFFF:
        # Half a sign, from a name that isn't UTF-8: TOML has no way to write it.
        return "\N{REPLACEMENT CHARACTER}"
    return f"\\u{number:04X}" if number <= 0xFFFF else f"\\U{number:08X}"
