"""Coverage in the JSON that coverage.py writes (`coverage json`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from assay.scanner.evidence.figures import CoverageReport, FileCoverage
from assay.scanner.evidence.parsing import Json, count, table, time_of_text

_TOOL = "coverage.py"


def read(document: Mapping[str, Json]) -> CoverageReport:
    """Read the document. Raises ReadProblem."""
    meta = table(document.get("meta", {}), "meta", _TOOL)
    files = table(document.get("files"), "files", _TOOL)
    return CoverageReport(_TOOL, time_of_text(meta.get("timestamp")), (), tuple(_files(files)))


def _files(files: Mapping[str, Json]) -> Iterator[FileCoverage]:
    for path, said in sorted(files.items()):
        summary = table(table(said, path, _TOOL).get("summary"), f"the summary of {path}", _TOOL)
        named = ("num_statements", "covered_lines", "num_branches", "covered_branches")
        statements, covered, branches, taken = (count(summary.get(n, 0), f"{n} of {path}", _TOOL) for n in named)
        yield FileCoverage(path.replace("\\", "/"), statements, covered, branches, taken)
