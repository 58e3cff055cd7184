"""The few lines of code that show a finding: its subject, its evidence, and a little around them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from assay.reports.highlight import Token, TokenLine, tokens
from assay.reports.plain import plain
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict

MAX_LINES = 7
MAX_WIDTH = 160
TAB = "    "
CUT = "…"
RUN_UP = 60
"""Lines above a frame that are read, at most, to colour it."""
_DEFINITION = re.compile(r"\s*(?:@|def |class |async def )")


@dataclass(frozen=True, slots=True)
class Stretch:
    """Neighbouring characters that look alike."""

    text: str
    token: Token
    marked: bool


@dataclass(frozen=True, slots=True)
class Line:
    """One line of code as shown; `notes` are the texts of the evidence that begins on it.

    `is_cited`: it is the subject's own line or one of the evidence, not just context.
    """

    number: int
    stretches: tuple[Stretch, ...]
    notes: tuple[str, ...]
    is_cited: bool
    follows_gap: bool

    @property
    def text(self) -> str:
        return "".join(stretch.text for stretch in self.stretches)

    @property
    def marks(self) -> tuple[tuple[int, int], ...]:
        """Where the marked stretches are: first character and the one after the last, from 0."""
        found: list[tuple[int, int]] = []
        position = 0
        for marked, run in groupby(self.stretches, key=lambda stretch: stretch.marked):
            end = position + sum(len(stretch.text) for stretch in run)
            if marked:
                found.append((position, end))
            position = end
        return tuple(found)


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Lines of one file, in order."""

    path: str
    lines: tuple[Line, ...]


@dataclass(frozen=True, slots=True)
class Frame:
    """At most `MAX_LINES` lines over all excerpts; `elsewhere` is the evidence that none of them shows."""

    excerpts: tuple[Excerpt, ...]
    elsewhere: tuple[Evidence, ...]


class Frames:
    """Makes frames from the lines of the files that findings cite; telling what to colour takes longest."""

    def __init__(self, sources: Mapping[str, Sequence[str]], *, are_coloured: bool = True) -> None:
        self._sources = sources
        self._are_coloured = are_coloured

    def of(self, finding: JudgedVerdict, width: int = MAX_WIDTH) -> Frame:
        """The frame of one finding; lines longer than `width` characters are cut around their first mark."""
        shown = self._choose(finding)
        excerpts = tuple(
            Excerpt(path, tuple(self._lines(path, sorted(numbers), finding, width))) for path, numbers in shown.items()
        )
        elsewhere = tuple(e for e in finding.evidence if e.location.line not in shown.get(e.location.path, ()))
        return Frame(excerpts, elsewhere)

    def line(self, place: Location, width: int = MAX_WIDTH) -> Line | None:
        """The line that a place begins on, with the place marked and without colours; None where there is no text."""
        if not self._exists(place.path, place.line):
            return None
        raw = self._sources[place.path][place.line - 1]
        mark = _mark(place, place.line, raw)
        stretches = _stretches(((Token.OTHER, _shown(raw)),), [] if mark is None else [mark], width)
        return Line(place.line, tuple(stretches), (), is_cited=True, follows_gap=False)

    def _choose(self, finding: JudgedVerdict) -> dict[str, set[int]]:
        """Line numbers by file: the subject's line and the evidence first, then their nearest neighbours."""
        cited = [e.location for e in finding.evidence]
        if finding.location != Location.whole_file(finding.location.path) or not cited:
            cited.insert(0, finding.location)
        places = [(place.path, place.line) for place in cited if self._exists(place.path, place.line)]
        near = [(path, line + step) for step in (1, -1, 2, -2) for path, line in places]
        chosen: dict[str, set[int]] = {}
        room = MAX_LINES
        for path, line in [*places, *near]:
            if room and self._exists(path, line) and line not in chosen.get(path, ()):
                chosen.setdefault(path, set()).add(line)
                room -= 1
        needed = set(places)
        return {path: self._without_blank_ends(path, lines, needed) for path, lines in chosen.items()}

    def _exists(self, path: str, line: int) -> bool:
        return 1 <= line <= len(self._sources.get(path, ()))

    def _without_blank_ends(self, path: str, lines: set[int], needed: set[tuple[str, int]]) -> set[int]:
        """Drop blank context above and below."""
        text = self._sources[path]
        kept = [line for line in lines if (path, line) in needed or text[line - 1].strip()]
        return {line for line in lines if min(kept) <= line <= max(kept)}

    def _lines(self, path: str, numbers: list[int], finding: JudgedVerdict, width: int) -> Iterable[Line]:
        evidence = [e for e in finding.evidence if e.location.path == path]
        marked = [e.location for e in evidence]
        if not finding.evidence:
            marked.append(finding.location)
        previous: int | None = None
        coloured = self._coloured(path, numbers[0], numbers[-1])
        for number in numbers:
            raw = self._sources[path][number - 1]
            marks = [mark for place in marked if (mark := _mark(place, number, raw)) is not None]
            yield Line(
                number,
                tuple(_stretches(coloured[number - numbers[0]], marks, width)),
                tuple(plain(e.text) for e in evidence if e.location.line == number),
                any((place.path, place.line) == (path, number) for place in (finding.location, *marked)),
                previous is not None and number > previous + 1,
            )
            previous = number

    def _coloured(self, path: str, first: int, last: int) -> list[TokenLine]:
        """The lines from the first to the last, read from the definition around them.

        Colouring whole files would cost more than the rest of a report together; from the middle of a string it would
        go wrong, and a definition rarely starts there.
        """
        lines = self._sources[path]
        if not self._are_coloured:
            return [((Token.OTHER, _shown(line)),) for line in lines[first - 1 : last]]
        start = max(1, first - RUN_UP)
        start = next((n for n in range(first, start, -1) if _DEFINITION.match(lines[n - 1])), start)
        return tokens(path, [_shown(line) for line in lines[start - 1 : last]])[first - start :]


def _shown(raw: str) -> str:
    return plain(raw.replace("\t", TAB))


def _mark(place: Location, number: int, raw: str) -> tuple[int, int] | None:
    """The part of the line that the place covers, as positions from 0 in the line as shown."""
    if not place.line <= number <= max(place.line, place.end_line):
        return None
    first = place.column - 1 if number == place.line else len(raw) - len(raw.lstrip())
    last = place.end_column - 1 if number == place.end_line else len(raw.rstrip())
    start, end = (len(raw[:column].replace("\t", TAB)) for column in (first, max(first, last)))
    return (start, end) if start < end else None


def _stretches(line: TokenLine, marks: list[tuple[int, int]], width: int) -> Iterable[Stretch]:
    """Split the line's tokens at the borders of the marks, and cut what is outside the window."""
    length = sum(len(text) for _, text in line)
    left = _left(length, marks, width)
    right = min(length, left + width)
    if left:
        yield Stretch(CUT, Token.OTHER, False)
    borders = sorted({left, right, *(b for mark in marks for b in mark)})
    position = 0
    for token, text in line:
        end = position + len(text)
        inner = [b for b in borders if position < b < end]
        for start, stop in zip([position, *inner], [*inner, end], strict=True):
            if left <= start and stop <= right:
                marked = any(first <= start < last for first, last in marks)
                yield Stretch(text[start - position : stop - position], token, marked)
        position = end
    if right < length:
        yield Stretch(CUT, Token.OTHER, False)


def _left(length: int, marks: list[tuple[int, int]], width: int) -> int:
    first = min((start for start, _ in marks), default=0)
    return 0 if length <= width or first < width * 3 // 4 else min(first - width // 4, length - width)
