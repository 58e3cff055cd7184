"""A file of rules, of routes or of a dashboard, and what manifests carry of these."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from assay.scanner.diagnostics import Reason
from assay.scanner.readers import yaml_documents
from assay.scanner.readers.monitoring.facts import MonitoringFacts, Query
from assay.scanner.readers.monitoring.routing import routings
from assay.scanner.readers.monitoring.rules import groups, objectives
from assay.scanner.readers.problem import ReadProblem
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode
from assay.scanner.readers.yaml_documents import Mapping, Node, Scalar

_RUNBOOK = re.compile(
    r"^\s*[\"']?(runbook(_?url)?|playbook(_?url)?)[\"']?\s*:\s*[\"']?(?P<page>[^\s\"'#]\S*)", re.IGNORECASE
)
_RULES = ("PrometheusRule", "Rules", "ClusterRules", "GlobalRules")
_WORTH_READING = re.compile(
    r"^\s*[\"']?(groups|receivers|contactPoints|policies|slos|kind)[\"']?\s*:|[{,]\s*\"(groups|receivers)\"",
    re.MULTILINE,
)
_EXPRESSION = re.compile(r"\"expr\"\s*:\s*(\"(?:[^\"\\]|\\.)*\")")
_DEEPEST = 4
"""Levels of a chart's values above what goes into a file."""
_DASHBOARD = re.compile(r"\"(panels|schemaVersion)\"\s*:")


def read(path: str, data: bytes) -> MonitoringFacts:
    """Read a file. Raises ReadProblem for what is no text, and for broken YAML that holds rules or routes."""
    text = decode(data)
    lines = enumerate(text.split("\n"), 1)
    runbooks = tuple((found["page"], at) for at, line in lines if (found := _RUNBOOK.match(line)))
    if path.endswith(".json") and _DASHBOARD.search(text):
        return MonitoringFacts(queries=tuple(_queries(text)), runbooks=runbooks)
    if not _WORTH_READING.search(text):
        return MonitoringFacts(runbooks=runbooks)
    try:
        documents = yaml_documents.read(path, data)
    except ReadProblem as problem:
        if problem.reason is not Reason.TEMPLATE:
            raise
        return MonitoringFacts(runbooks=runbooks, is_template=True)
    return MonitoringFacts(runbooks=runbooks).joined(of_documents(documents, text))


def of_documents(documents: tuple[Node, ...], text: str) -> MonitoringFacts:
    """What documents hold. `text` is the file's, of which a ConfigMap or a Secret may have a stretch with a file of
    its own.
    """
    found = MonitoringFacts()
    for document in documents:
        if not isinstance(document, Mapping):
            continue
        kind = document.text("kind")
        held = document.mapping("spec") if kind in _RULES else document
        rules = groups(held) if held is not None else MonitoringFacts()
        for values in _below(document) if kind is None else ():
            found = found.joined(groups(values)).joined(MonitoringFacts(routings=tuple(routings(values))))
        about = MonitoringFacts(routings=tuple(routings(document)), objectives=tuple(objectives(document)))
        found = found.joined(rules).joined(about)
        if kind in ("ConfigMap", "Secret"):
            for key in ("data", "stringData"):
                found = found.joined(_of_entries(document.mapping(key), text))
    return found


def _below(document: Mapping, depth: int = _DEEPEST) -> Iterator[Mapping]:
    """The mappings within: the values of charts hold whole files of rules and routes."""
    for entry in document.entries if depth else ():
        if isinstance(entry.value, Mapping):
            yield entry.value
            yield from _below(entry.value, depth - 1)


def _of_entries(entries: Mapping | None, text: str) -> MonitoringFacts:
    found = MonitoringFacts()
    for entry in entries.entries if entries is not None else ():
        value = entry.value
        is_block = isinstance(value, Scalar) and value.quoted and value.span.end_line > value.span.line
        if is_block and isinstance(value, Scalar) and ('"expr"' in value.text or _WORTH_READING.search(value.text)):
            found = found.joined(_of_stretch(value, text))
    return found


def _of_stretch(value: Scalar, text: str) -> MonitoringFacts:
    """A file within a file; empty lines before it keep its lines where they are."""
    inner = yaml_documents.text_within(text, value)
    if _DASHBOARD.search(inner):
        return MonitoringFacts(queries=tuple(_queries(inner)))
    try:
        return of_documents(yaml_documents.read("", inner.encode()), inner)
    except ReadProblem:
        return MonitoringFacts()


def _queries(text: str) -> Iterator[Query]:
    """The queries of a dashboard, without its other JSON: boards are large."""
    line, seen = 1, 0
    for found in _EXPRESSION.finditer(text):
        line += text.count("\n", seen, found.start())
        seen = found.start()
        column = found.start() - text.rfind("\n", 0, found.start())
        try:
            expression = json.loads(found[1])
        except ValueError:
            continue
        yield Query(expression, Span(line, column, line, column + len(found[0])))
