"""Annotations of a GitHub workflow: commands that its runner reads from standard output.

The syntax is what the runner's `ActionCommand.TryParseV2` takes (actions/runner): a line `::error k=v,k=v::text`, in
which a few characters are escaped. Whatever else a line holds, such as `::` or `##[`, is text once it begins so.
"""

from __future__ import annotations

from collections.abc import Iterator

from assay.reports.annotations import Annotation, annotated
from assay.scanner.results import ScanResult

_DATA = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def render(result: ScanResult) -> str:
    """A line for each annotation, ten at most; nothing where there is nothing to mend."""
    return "".join(_command(annotation) for annotation in annotated(result))


def command(name: str, properties: dict[str, str], text: str) -> str:
    """A workflow command that the runner takes apart into exactly these, whatever they hold."""
    written = ",".join(f"{key}={value.translate(_PROPERTY)}" for key, value in properties.items())
    return f"::{name} {written}::{text.translate(_DATA)}\n"


def _command(annotation: Annotation) -> str:
    return command(annotation.level, dict(_properties(annotation)), "\n".join(annotation.lines))


def _properties(annotation: Annotation) -> Iterator[tuple[str, str]]:
    place = annotation.location
    if place is not None:
        yield "file", place.path
        yield "line", str(place.line)
        yield "endLine", str(place.end_line)
        # The runner takes columns only within one line.
        if place.line == place.end_line and place.column < place.end_column:
            yield "col", str(place.column)
            yield "endColumn", str(place.end_column)
    yield "title", annotation.title
