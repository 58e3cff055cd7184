"""Which lines of the code show a finding: those that it cites, and their nearest neighbours."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable

from assay.scanner.model.place import Location
from assay.scanner.results import JudgedVerdict

__all__ = ["MAX_LINES", "Exists", "cited_lines", "shown_lines"]

MAX_LINES = 7
"""Shown of one finding, over all files."""

Exists = Callable[[str, int], bool]
"""Whether a file, by path, has a line, by number."""


def shown_lines(finding: JudgedVerdict, exists: Exists) -> dict[str, set[int]]:
    """Line numbers by file: the subject's line and the evidence first, then their nearest neighbours.

    Asked again of no more than these lines, the answer is the same.
    """
    cited = [e.location for e in finding.evidence]
    if finding.location != Location.whole_file(finding.location.path) or not cited:
        cited.insert(0, finding.location)
    places = [(place.path, place.line) for place in cited if exists(place.path, place.line)]
    near = [(path, line + step) for step in (1, -1, 2, -2) for path, line in places]
    chosen: dict[str, set[int]] = {}
    room = MAX_LINES
    for path, line in [*places, *near]:
        if room and exists(path, line) and line not in chosen.get(path, ()):
            chosen.setdefault(path, set()).add(line)
            room -= 1
    return chosen


def cited_lines(
    verdicts: Iterable[JudgedVerdict], exists: Exists, places: Iterable[Location] = ()
) -> dict[str, list[int]]:
    """All that reports need of the code: the lines that show the findings, and those of the flows' steps.

    Sorted by path and number. At the `places` findings may yet be made that have no evidence.
    """
    found: defaultdict[str, set[int]] = defaultdict(set)
    for verdict in verdicts:
        if not verdict.is_finding:
            continue
        for path, lines in shown_lines(verdict, exists).items():
            found[path] |= lines
        steps = (step.location for flow in verdict.flows for step in flow)
        for place in (verdict.location, *steps):
            if exists(place.path, place.line):
                found[place.path].add(place.line)
    for place in places:
        found[place.path] |= {n for n in range(place.line - 2, place.line + 3) if exists(place.path, n)}
    return {path: sorted(found[path]) for path in sorted(found)}
