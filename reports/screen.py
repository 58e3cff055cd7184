"""A terminal that takes plain values: nothing in them is read as markup, and every sign fits its encoding."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console
from rich.table import Table
from rich.text import Text

_ASCII: dict[int, int | str] = {
    **str.maketrans("✗✓–─│█░·…⋮×→\N{MINUS SIGN}", "x+-~|#.->:x>-"),
    ord("≤"): "<=",
    ord("≥"): ">=",
}
"""Our own signs where the terminal's encoding has none of them."""


class Screen:
    """Prints plain values: no markup is read, no emoji or numbers are decorated, every sign fits the encoding."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._encoding = "utf-8" if console.encoding.lower().startswith("utf") else console.encoding
        self.width = console.width
        self.has_colours = console.color_system is not None

    def line(self, *parts: str | tuple[str, str], style: str = "", indent: int = 0) -> None:
        """One indented paragraph; parts are texts or (text, style)."""
        text = self._text(parts, style)
        for row in text.wrap(self._console, max(20, self.width - indent)) or [text]:
            row.rstrip()
            self._console.print(Text(" " * indent) + row, soft_wrap=True, highlight=False)

    def code(self, *parts: str | tuple[str, str]) -> None:
        """One row that is cut, never wrapped."""
        text = self._text(parts, "")
        text.rstrip()
        text.truncate(self.width, overflow="crop")
        self._console.print(text, soft_wrap=True, highlight=False)

    def table(self, columns: Iterable[tuple[str, bool]], rows: Iterable[tuple[str | tuple[str, str], ...]]) -> None:
        """Columns are (heading, is a figure); the first is wrapped when the width is short, and a last one of words."""
        named = list(columns)
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
        for index, (heading, is_figure) in enumerate(named):
            table.add_column(
                self._text((heading,), ""),
                justify="right" if is_figure else "left",
                no_wrap=index > 0 and (is_figure or index < len(named) - 1),
                overflow="fold",
            )
        for row in rows:
            table.add_row(*(self._text((cell,), "") for cell in row))
        self._console.print(table, highlight=False)

    def _text(self, parts: Iterable[str | tuple[str, str]], style: str) -> Text:
        text = Text(style=style)
        for part in parts:
            content, own_style = (part, "") if isinstance(part, str) else part
            text.append(self._encodable(content), own_style)
        return text

    def _encodable(self, text: str) -> str:
        if self._encoding == "utf-8":
            return text
        return text.translate(_ASCII).encode(self._encoding, "replace").decode(self._encoding)
