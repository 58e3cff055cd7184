"""A table of strings, so that what is said a thousand times is written once."""

from __future__ import annotations

from assay.reports.plain import plain

__all__ = ["Strings"]


class Strings:
    """Hands out the number of each text; the texts are harmless to show."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.all: list[str] = []

    def number(self, text: str) -> int:
        """Its place in the table, where it is put if it is new."""
        known = self._numbers.get(text)
        if known is None:
            known = self._numbers[text] = len(self.all)
            self.all.append(plain(text))
        return known

    def raw(self, text: str) -> int:
        """The same for text that is harmless already, and must stay as it is: code with its tabs."""
        known = self._numbers.get(key := f"\0{text}")
        if known is None:
            known = self._numbers[key] = len(self.all)
            self.all.append(text)
        return known
