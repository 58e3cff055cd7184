"""Issues of an Azure pipeline: logging commands that its agent reads from standard output.

The agent's `Command.TryParse` takes `##vso[task.logissue k=v;]text`; its task library (azure-pipelines-task-lib,
`taskcommand.ts`) says what is escaped.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.reports.annotations import Annotation, Level, annotated
from assay.scanner.results import ScanResult

_DATA = str.maketrans({"%": "%AZP25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%AZP25", "\r": "%0D", "\n": "%0A", "]": "%5D", ";": "%3B"})


def render(result: ScanResult) -> str:
    """A line for each issue, ten at most; nothing where there is nothing to mend."""
    return "".join(_command(annotation) for annotation in annotated(result))


def _command(annotation: Annotation) -> str:
    properties = "".join(f"{key}={value.translate(_PROPERTY)};" for key, value in _properties(annotation))
    text = " · ".join((annotation.title, *annotation.lines))
    return f"##vso[task.logissue {properties}]{text.translate(_DATA)}\n"


def _properties(annotation: Annotation) -> Iterator[tuple[str, str]]:
    # An issue is an error or a warning: there is nothing less.
    yield "type", "error" if annotation.level is Level.ERROR else "warning"
    place = annotation.location
    if place is not None:
        yield "sourcepath", place.path
        yield "linenumber", str(place.line)
        yield "columnnumber", str(place.column)
    yield "code", annotation.code
