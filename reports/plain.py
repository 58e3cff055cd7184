"""Text from the scanned tree, made harmless to show: no control, bidirectional or invisible characters survive.

Every such character is replaced by exactly one visible one, so columns stay what they were. What the characters can do
otherwise: drive a terminal (ECMA-48), or make source read differently from what runs (CVE-2021-42574). A CI runner that
reads what we print takes `##[…]`, `##vso[…]` or `##teamcity[…]` for a command wherever it stands in a line.
"""

from __future__ import annotations

import re
import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_FIRST_CONTROL_PICTURE = 0x2400
_COMMAND = re.compile(r"#(?=#\w*\[)")
_NO_COMMAND = "\N{MUSIC SHARP SIGN}"
_CONTROL, _HARMFUL = range(0x20), ("Cc", "Cf", "Cs", "Zl", "Zp")


class _Harmless(dict[int, str]):
    """A translation table that fills itself: Unicode's categories are asked once per character met."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        if code in _CONTROL:
            character = chr(_FIRST_CONTROL_PICTURE + code)
        elif unicodedata.category(character) in _HARMFUL:
            character = REPLACEMENT
        self[code] = character
        return character


_HARMLESS = _Harmless()


def plain(text: str) -> str:
    """The text with every character that could do anything but be read replaced by a visible one."""
    shown = text if text.isascii() and text.isprintable() else text.translate(_HARMLESS)
    return _COMMAND.sub(_NO_COMMAND, shown) if "##" in shown else shown
