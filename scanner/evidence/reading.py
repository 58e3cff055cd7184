"""A file of measurements, whatever tool wrote it: what it is shows in how it begins."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping

from assay.scanner.evidence import cobertura, coverage_json, junit, k6, locust, pg_stat_statements, pytest_benchmark
from assay.scanner.evidence.figures import START, EvidenceFacts, Report
from assay.scanner.evidence.parsing import Json, parsed, problem
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_KNOWN = (
    "Cobertura XML, coverage.py's JSON, JUnit XML, a summary of k6, Locust's statistics as CSV, pytest-benchmark's "
    "JSON, an export of pg_stat_statements"
)
_ROOT = re.compile(rb"<(?![?!])(?:\w+:)?(?P<name>[\w.-]+)")


def read(path: str, data: bytes) -> EvidenceFacts:  # noqa: ARG001 - every reader has the same signature
    """Read the file. Raises ReadProblem, which says what is wrong with it and what to do."""
    try:
        return EvidenceFacts(_report(data))
    except ReadProblem as found:
        # Whatever it is, it is no code that is missing.
        raise problem(found.message, found.line) from found


def _report(data: bytes) -> Report:
    start = data.lstrip(b"\xef\xbb\xbf \t\r\n")[:1]
    if not start:
        raise problem("it is empty; did the run that should have written it fail?")
    if start == b"<":
        return _xml(data)
    if start in (b"{", b"["):
        return _json(decode(data))
    return _table(decode(data))


def _xml(data: bytes) -> Report:
    root = _ROOT.search(data)
    name = root["name"].decode() if root else ""
    if name == "coverage":
        return cobertura.read(data)
    if name in ("testsuites", "testsuite"):
        return junit.read(data)
    raise problem(f"XML that begins with <{name[:40]}> is none that is known: {_KNOWN}")


def _json(text: str) -> Report:
    document = parsed(text, "the tool")
    if isinstance(document, list):
        if document and all(isinstance(row, Mapping) and "query" in row and "calls" in row for row in document):
            return pg_stat_statements.read((START, row) for row in document)
        raise problem(f"a list in JSON that is none of what is known: {_KNOWN}")
    assert isinstance(document, Mapping)
    if "files" in document and ("totals" in document or "meta" in document):
        return coverage_json.read(document)
    if "benchmarks" in document:
        return pytest_benchmark.read(document)
    if "metrics" in document:
        return k6.read(document)
    raise problem(f"JSON that is none of what is known: {_KNOWN}")


def _table(text: str) -> Report:
    lines = csv.DictReader(io.StringIO(text), strict=True)
    try:
        names = frozenset(lines.fieldnames or ())
        if {"Type", "Name", "95%"} <= names:
            return locust.read(_rows(lines))
        if {"query", "calls"} <= names:
            return pg_stat_statements.read((span, _as_json(row)) for span, row in _rows(lines))
    except csv.Error as error:
        raise problem(f"it is no valid CSV ({error}); let the tool write it anew", lines.line_num) from error
    raise problem(f"neither XML nor JSON nor a CSV that is known: {_KNOWN}", 1)


def _rows(lines: csv.DictReader[str]) -> Iterator[tuple[Span, dict[str, str]]]:
    """Each row with the line that it begins on; one of another length is refused."""
    line = lines.line_num + 1
    for row in lines:
        if None in row or None in row.values():
            raise problem("it has more or fewer columns than the first line names; let the tool write it anew", line)
        yield Span(line, 1, line, 1), row
        line = lines.line_num + 1


def _as_json(row: Mapping[str, str]) -> Mapping[str, Json]:
    return dict(row)
