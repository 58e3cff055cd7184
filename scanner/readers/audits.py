"""Automation that looks after dependencies: CI workflows, pre-commit hooks, and the settings of update bots.

Read line by line: CI systems share no format, and only the names of tools count here.
"""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from enum import StrEnum

import msgspec

from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode
from assay.scanner.readers.workflows import reader
from assay.scanner.readers.workflows.facts import Workflow

_SCANNERS = re.compile(
    r"\b(?P<tool>pip-audit|osv-scanner|uv audit|poetry audit|pipenv (?:check|audit)|dependency-review-action"
    r"|safety (?:check|scan)|pyupio/safety\S*|python-safety-dependencies-check|trivy|grype|anchore/scan-action"
    r"|snyk (?:test|monitor)|snyk/actions\S*|gemnasium\S*|Dependency-Scanning\.(?:latest\.)?gitlab-ci\.yml"
    r"|dependency-check|nexus-?iq\S*|jake ddt|fossa (?:test|analyze)|fossas/fossa-action|mend-\S+|whitesource\S*"
    r"|socketdev\S*|cyclonedx-\S*audit)(?![\w-])",
    re.IGNORECASE,
)
_ECOSYSTEM = re.compile(r"package-ecosystem[\"']?\s*:\s*[\"']?(?P<name>[\w-]+)")
_PYTHON_ECOSYSTEMS = frozenset({"pip", "uv", "pipenv", "poetry", "conda"})
_PYTHON_MANAGERS = ("pip", "pep621", "poetry", "pipenv", "pyenv", "setup-cfg", "uv")
_RENOVATE_OFF = re.compile(r"^\s{0,2}[\"']?enabled[\"']?\s*:\s*false", re.MULTILINE)
_MANAGERS = re.compile(r"[\"']?enabledManagers[\"']?\s*:\s*\[(?P<names>[^\]]*)\]")
_DOCUMENT = re.compile(r"openapi|swagger|spectacular", re.IGNORECASE)
_COMPARED = re.compile(
    r"\bdiff\b|--exit-code|oasdiff|--check\b|(?:check|verify|validate)[-_](?:openapi|schema|spec|swagger)",
    re.IGNORECASE,
)
_NEAR = 8
"""Lines between the step that makes it and the one that compares."""


class AuditKind(StrEnum):
    """How what the code depends on, and what describes it, is looked after."""

    SCAN = "scan"
    """A tool that compares them with known vulnerabilities."""
    UPDATES = "updates"
    """A bot that proposes new versions of Python packages."""
    OTHER_UPDATES = "other updates"
    """A bot that looks at something else only: actions, images, JavaScript."""
    DESCRIPTION = "description"
    """A step that makes the OpenAPI document anew and compares it with the committed one."""


class Audit(msgspec.Struct, frozen=True, array_like=True):
    """One line that sets it up."""

    kind: AuditKind
    name: str
    span: Span


class AuditFacts(msgspec.Struct, frozen=True, array_like=True, tag="audits"):
    """What one file sets up; empty for a workflow that does something else."""

    audits: tuple[Audit, ...] = ()
    workflow: Workflow | None = None
    """The pipeline that it is, where its format is known."""


def read(path: str, data: bytes) -> AuditFacts:
    """Read one file of any such kind. Raises ReadProblem for bytes that are no text."""
    text = decode(data)
    name = posixpath.basename(path)
    if "renovate" in name:
        return AuditFacts((_renovate(text),))
    if name.startswith("dependabot."):
        return AuditFacts(tuple(_dependabot(text)))
    return AuditFacts((*_scans(text), *_comparisons(text)), reader.read(path, data))


def _dependabot(text: str) -> Iterator[Audit]:
    for line, span in _lines(text):
        found = _ECOSYSTEM.search(line)
        if found is not None:
            kind = AuditKind.UPDATES if found["name"] in _PYTHON_ECOSYSTEMS else AuditKind.OTHER_UPDATES
            yield Audit(kind, f"Dependabot for {found['name']}", span)


def _renovate(text: str) -> Audit:
    """Renovate looks at every manager unless it is told which (docs.renovatebot.com, `enabledManagers`)."""
    first = Span(1, 1, 1, len(text.partition("\n")[0]) + 1)
    managers = _MANAGERS.search(text)
    misses_python = managers is not None and not any(m in managers["names"] for m in _PYTHON_MANAGERS)
    off = misses_python or _RENOVATE_OFF.search(text) is not None
    return Audit(AuditKind.OTHER_UPDATES if off else AuditKind.UPDATES, "Renovate", first)


def _scans(text: str) -> Iterator[Audit]:
    for line, span in _lines(text):
        found = _SCANNERS.search(line)
        if found is not None:
            yield Audit(AuditKind.SCAN, found["tool"], span)


def _comparisons(text: str) -> Iterator[Audit]:
    """A line that compares, near one that speaks of the document."""
    last = -_NEAR
    comparing: tuple[int, Span] | None = None
    for line, span in _lines(text):
        last = span.line if _DOCUMENT.search(line) else last
        if _COMPARED.search(line):
            comparing = (span.line, span)
        if comparing is not None and abs(last - comparing[0]) < _NEAR:
            yield Audit(AuditKind.DESCRIPTION, "the OpenAPI document is made anew and compared", comparing[1])
            return


def _lines(text: str) -> Iterator[tuple[str, Span]]:
    """Lines that are more than a comment."""
    for number, line in enumerate(text.split("\n"), 1):
        if not line.lstrip().startswith(("#", "//")):
            yield line, Span(number, 1, number, len(line) + 1)
