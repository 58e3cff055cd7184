"""Coverage in Cobertura's XML, which coverage.py and most other tools write."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.scanner.evidence import xml
from assay.scanner.evidence.figures import CoverageReport, FileCoverage
from assay.scanner.evidence.parsing import count, problem, time_of_epoch

_TOOL = "the tool of coverage"
_CONDITIONS = re.compile(r"\((?P<covered>\d{1,9})/(?P<all>\d{1,9})\)")


def read(data: bytes) -> CoverageReport:
    """Read the file. Raises ReadProblem."""
    seen = _Seen()
    xml.walk(data, seen.start, seen.end)
    if not seen.is_report:
        raise problem("its first element is no <coverage>; name the XML report of coverage.py or of another tool")
    files = tuple(
        FileCoverage(
            path,
            len(lines),
            sum(hits > 0 for hits in lines.values()),
            sum(total for _, total in seen.branches.get(path, {}).values()),
            sum(covered for covered, _ in seen.branches.get(path, {}).values()),
        )
        for path, lines in sorted(seen.lines.items())
    )
    return CoverageReport("Cobertura", time_of_epoch(seen.timestamp), tuple(seen.sources), files)


@dataclass(slots=True)
class _Seen:
    """What of the document went by. A line counts once, though methods repeat the lines of their class."""

    is_report: bool = False
    timestamp: str = ""
    sources: list[str] = field(default_factory=list)
    lines: dict[str, dict[int, int]] = field(default_factory=dict)
    branches: dict[str, dict[int, tuple[int, int]]] = field(default_factory=dict)
    _file: str = ""

    def start(self, name: str, attributes: Mapping[str, str], line: int) -> None:
        if name == "coverage":
            self.is_report = True
            self.timestamp = attributes.get("timestamp", "")
        elif name == "class":
            self._file = attributes.get("filename", "")
            if not self._file:
                raise problem("a <class> names no file (filename); let the tool write it anew", line)
            self.lines.setdefault(self._file, {})
        elif name == "line" and self._file:
            at = count(attributes.get("number"), "the number of a <line>", _TOOL, line)
            hits = count(attributes.get("hits"), "the hits of a <line>", _TOOL, line)
            lines = self.lines[self._file]
            lines[at] = max(hits, lines.get(at, 0))
            conditions = _CONDITIONS.search(attributes.get("condition-coverage", ""))
            if conditions is not None:
                told = (int(conditions["covered"]), int(conditions["all"]))
                self.branches.setdefault(self._file, {})[at] = told

    def end(self, name: str, text: str) -> None:
        if name == "source" and text:
            self.sources.append(text)
        elif name == "class":
            self._file = ""
