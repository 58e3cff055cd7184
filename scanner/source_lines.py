"""The text of scanned files, line by line, as verdicts cite it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from assay.scanner.cited_lines import cited_lines
from assay.scanner.model.place import Location
from assay.scanner.outcomes import content_digest
from assay.scanner.results import JudgedVerdict

__all__ = ["SourceLines"]

_PYTHON = (".py", ".pyi")
_STRINGS = re.compile(
    r"""
    \#[^\n]*
    | (?P<opening>[bfru]{0,2}(?P<quotes>"{3}|'{3})) (?:\\.|[^\\])*? (?:(?P=quotes)|\Z)
    | "(?:\\.|[^"\\\n])*"?
    | '(?:\\.|[^'\\\n])*'?
    """,
    re.VERBOSE | re.DOTALL | re.IGNORECASE,
)


class SourceLines:
    """The scanned files' text by line, read once when first asked for. `digests` are of the contents that were judged,
    by path.
    """

    def __init__(self, root: Path, digests: Mapping[str, bytes]) -> None:
        self._root = root
        self._digests = digests
        self._files: dict[str, tuple[str, ...]] = {}
        self.are_as_read = True
        """Whether no file was found to have changed since."""

    def of(self, path: str) -> tuple[str, ...]:
        if path not in self._files:
            try:
                data = (self._root / path).read_bytes()
            except OSError:
                # A place that is no file (a service's folder), or one that went away: it has no text to show.
                data = b""
            if path in self._digests and self._digests[path] != content_digest(data):
                self.are_as_read = False
            text = data.decode("utf-8", "replace")
            # Lines as Python counts them: `str.splitlines` would also break at form feeds.
            self._files[path] = tuple(re.split(r"\r\n|\r|\n", text))
        return self._files[path]

    def line(self, path: str, number: int) -> str:
        lines = self.of(path)
        return lines[number - 1] if 0 < number <= len(lines) else ""

    def cited(self, verdicts: Iterable[JudgedVerdict], places: Iterable[Location] = ()) -> dict[str, dict[int, str]]:
        """The lines that show findings, those at the places included, by path and number."""
        numbers = cited_lines(verdicts, lambda path, number: 0 < number <= len(self.of(path)), places)
        return {path: {n: self.of(path)[n - 1] for n in lines} for path, lines in numbers.items()}

    def openings(self, cited: Mapping[str, Iterable[int]]) -> dict[str, dict[int, str]]:
        """What opened the string of several lines in which a line of Python begins, where one does."""
        found = {}
        for path, numbers in cited.items():
            if path.endswith(_PYTHON) and (inside := _openings(self.of(path))):
                found[path] = {n: inside[n] for n in numbers if n in inside}
        return {path: lines for path, lines in found.items() if lines}


def _openings(lines: Sequence[str]) -> dict[int, str]:
    """By the number of each line that begins inside a string."""
    text = "\n".join(lines)
    found = {}
    line, position = 1, 0
    for string in _STRINGS.finditer(text):
        if string["opening"] is None:
            continue
        line += text.count("\n", position, string.start())
        last = line + text.count("\n", string.start(), string.end())
        found.update(dict.fromkeys(range(line + 1, last + 1), string["opening"]))
        line, position = last, string.end()
    return found
