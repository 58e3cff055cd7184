"""The few lines of code that show a finding: its subject, its evidence, and a little around them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from types import MappingProxyType

from assay.reports.highlight import Token, TokenLine, tokens
from assay.reports.plain import plain
from assay.scanner.cited_lines import shown_lines
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict

MAX_WIDTH = 160
TAB = "    "
CUT = "…"


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
    """At most `cited_lines.MAX_LINES` lines over all excerpts; `elsewhere` is the evidence that none of them shows."""

    excerpts: tuple[Excerpt, ...]
    elsewhere: tuple[Evidence, ...]


class Frames:
    """Makes frames from the lines that findings cite, by path and number; telling what to colour takes longest.

    `openings` says what opened the string that a line begins in.
    """

    def __init__(
        self,
        sources: Mapping[str, Mapping[int, str]],
        openings: Mapping[str, Mapping[int, str]] = MappingProxyType({}),
        *,
        are_coloured: bool = True,
    ) -> None:
        self._sources = sources
        self._openings = openings
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
        raw = self._sources[place.path][place.line]
        mark = _mark(place, place.line, raw)
        stretches = _stretches(((Token.OTHER, _shown(raw)),), [] if mark is None else [mark], width)
        return Line(place.line, tuple(stretches), (), is_cited=True, follows_gap=False)

    def _choose(self, finding: JudgedVerdict) -> dict[str, set[int]]:
        """Line numbers by file."""
        needed = {(place.path, place.line) for place in (finding.location, *(e.location for e in finding.evidence))}
        return {
            path: self._without_blank_ends(path, lines, needed)
            for path, lines in shown_lines(finding, self._exists).items()
        }

    def _exists(self, path: str, line: int) -> bool:
        return line in self._sources.get(path, ())

    def _without_blank_ends(self, path: str, lines: set[int], needed: set[tuple[str, int]]) -> set[int]:
        """Drop blank context above and below."""
        text = self._sources[path]
        kept = [line for line in lines if (path, line) in needed or text[line].strip()]
        return {line for line in lines if min(kept) <= line <= max(kept)}

    def _lines(self, path: str, numbers: list[int], finding: JudgedVerdict, width: int) -> Iterable[Line]:
        evidence = [e for e in finding.evidence if e.location.path == path]
        marked = [e.location for e in evidence]
        if not finding.evidence:
            marked.append(finding.location)
        previous: int | None = None
        coloured = self._coloured(path, numbers)
        for number in numbers:
            raw = self._sources[path][number]
            marks = [mark for place in marked if (mark := _mark(place, number, raw)) is not None]
            yield Line(
                number,
                tuple(_stretches(coloured[number], marks, width)),
                tuple(plain(e.text) for e in evidence if e.location.line == number),
                any((place.path, place.line) == (path, number) for place in (finding.location, *marked)),
                previous is not None and number > previous + 1,
            )
            previous = number

    def _coloured(self, path: str, numbers: list[int]) -> dict[int, TokenLine]:
        """The lines by number. Each run of neighbours is read by itself, as if the string it begins in opened there."""
        lines = self._sources[path]
        if not self._are_coloured:
            return {number: ((Token.OTHER, _shown(lines[number])),) for number in numbers}
        found: dict[int, TokenLine] = {}
        for run in _runs(numbers):
            opening = self._openings.get(path, {}).get(run[0], "")
            first, *others = (_shown(lines[number]) for number in run)
            coloured = tokens(path, [opening + first, *others])
            coloured[0] = _without_start(coloured[0], len(opening))
            found.update(zip(run, coloured, strict=True))
        return found


def _runs(numbers: list[int]) -> Iterator[list[int]]:
    for _, run in groupby(enumerate(numbers), key=lambda item: item[1] - item[0]):
        yield [number for _, number in run]


def _without_start(line: TokenLine, length: int) -> TokenLine:
    kept = []
    for token, text in line:
        if text[length:]:
            kept.append((token, text[length:]))
        length = max(0, length - len(text))
    return tuple(kept)


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
