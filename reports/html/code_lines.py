"""The lines of code that findings show, each written and coloured once however many findings show it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from assay.reports.frames import CUT, MAX_WIDTH
from assay.reports.highlight import TokenLine, tokens
from assay.reports.html.strings import Strings
from assay.reports.plain import plain
from assay.scanner.cited_lines import shown_lines
from assay.scanner.results import JudgedVerdict, ScanResult

__all__ = ["CodeLines"]

MAX_COLOURED = 1_000
"""The code of findings beyond these, the gravest, has no colours: to find them takes longest."""

Sources = Mapping[str, Mapping[int, str]]
Ranges = list[int]
"""First line and how many, in turns: numbers in the table of lines."""


@dataclass(slots=True)
class CodeLines:
    """The table, in columns: file, number, text, its colours, and how many characters are left out at its left.

    Colours are a letter and a length for each stretch, such as `k3o1d12` (the letters are highlight.Token's values, `o`
    for none); what follows the last one has none.
    """

    path: list[int] = field(default_factory=list)
    number: list[int] = field(default_factory=list)
    text: list[int] = field(default_factory=list)
    colours: list[int] = field(default_factory=list)
    left: list[int] = field(default_factory=list)
    _places: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def of(cls, result: ScanResult, findings: Iterable[JudgedVerdict], strings: Strings) -> CodeLines:
        """Every line that one of the findings, its evidence or the steps of its flows shows."""
        wanted = _Wanted.by(findings, result.sources)
        table = cls()
        for path in sorted(wanted.lines):
            table._add_file(path, result, wanted, strings)
        return table

    def ranges(self, finding: JudgedVerdict, sources: Sources) -> Ranges:
        """The lines that show the finding: its own file's first."""
        chosen = _without_blank_ends(finding, _shown(finding, sources), sources)
        own = finding.location.path
        places = [self._places[path, n] for path in sorted(chosen, key=lambda p: (p != own, p)) for n in chosen[path]]
        found: Ranges = []
        for place in places:
            if found and place == found[-2] + found[-1] and self.path[place] == self.path[place - 1]:
                found[-1] += 1
            else:
                found += (place, 1)
        return found

    def _add_file(self, path: str, result: ScanResult, wanted: _Wanted, strings: Strings) -> None:
        name = strings.number(path)
        lines, openings = result.sources[path], result.openings.get(path, {})
        numbers = enumerate(sorted(wanted.lines[path]))
        for _, run in groupby(numbers, key=lambda item: item[1] - item[0]):
            neighbours = [number for _, number in run]
            opening = openings.get(neighbours[0], "")
            texts = [_harmless(lines[number]) for number in neighbours]
            coloured: Sequence[TokenLine] = [()] * len(texts)
            if not wanted.coloured.isdisjoint((path, number) for number in neighbours):
                coloured = tokens(path, [opening + texts[0], *texts[1:]])
            for index, number in enumerate(neighbours):
                text = texts[index]
                left = _left(len(text), wanted.marks.get((path, number), 1) - 1)
                self._places[path, number] = len(self.path)
                self.path.append(name)
                self.number.append(number)
                self.text.append(strings.raw(_window(text, left)))
                start = left + (len(opening) if index == 0 else 0)
                self.colours.append(strings.raw(_colours(coloured[index], start, is_cut=left > 0)))
                self.left.append(left)


@dataclass(slots=True)
class _Wanted:
    """Which lines are shown, by path, which of them in colours, and in which column the first mark of each begins."""

    lines: defaultdict[str, set[int]] = field(default_factory=lambda: defaultdict(set))
    coloured: set[tuple[str, int]] = field(default_factory=set)
    marks: dict[tuple[str, int], int] = field(default_factory=dict)

    @classmethod
    def by(cls, findings: Iterable[JudgedVerdict], sources: Sources) -> _Wanted:
        """By these findings, the gravest first."""
        wanted = cls()
        for position, finding in enumerate(findings):
            for path, numbers in _shown(finding, sources).items():
                wanted.lines[path] |= numbers
                if position < MAX_COLOURED:
                    wanted.coloured |= {(path, number) for number in numbers}
            for place in finding.places:
                if place.line in sources.get(place.path, ()):
                    wanted.lines[place.path].add(place.line)
                    key = place.path, place.line
                    wanted.marks[key] = min(wanted.marks.get(key, place.column), place.column)
        return wanted


def _shown(finding: JudgedVerdict, sources: Sources) -> dict[str, set[int]]:
    return shown_lines(finding, lambda path, line: line in sources.get(path, ()))


def _without_blank_ends(finding: JudgedVerdict, chosen: dict[str, set[int]], sources: Sources) -> dict[str, list[int]]:
    needed = {(place.path, place.line) for place in (finding.location, *(e.location for e in finding.evidence))}
    trimmed = {}
    for path, numbers in chosen.items():
        kept = [n for n in numbers if (path, n) in needed or sources[path][n].strip()]
        trimmed[path] = sorted(n for n in numbers if kept and min(kept) <= n <= max(kept))
    return trimmed


def _harmless(line: str) -> str:
    """Tabs stay, so that columns are what they are in the file; style gives them their width."""
    return "\t".join(map(plain, line.split("\t"))) if "\t" in line else plain(line)


def _left(length: int, mark: int) -> int:
    """How much of a long line is left out before the part that shows its first mark."""
    return 0 if length <= MAX_WIDTH or mark < MAX_WIDTH * 3 // 4 else min(mark - MAX_WIDTH // 4, length - MAX_WIDTH)


def _window(text: str, left: int) -> str:
    right = left + MAX_WIDTH
    return (CUT if left else "") + text[left:right] + (CUT if right < len(text) else "")


def _colours(line: TokenLine, start: int, *, is_cut: bool) -> str:
    """Of what is shown of the line, from its character `start` on."""
    runs: list[tuple[str, int]] = [("o", 1)] if is_cut else []
    room, skipped = MAX_WIDTH, start
    for token, text in line:
        length = min(len(text) - min(len(text), skipped), room)
        skipped = max(0, skipped - len(text))
        if length:
            room -= length
            runs.append((token.value or "o", length))
    while runs and runs[-1][0] == "o":
        runs.pop()
    return "".join(f"{letter}{length}" for letter, length in runs)
