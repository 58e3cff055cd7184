"""Signs of scanners that run elsewhere, as an app of the repository does: their settings, and their badges in a README.

They don't prove that anything is scanned; they say whom to ask.
"""

from __future__ import annotations

import posixpath
import re

import msgspec

from assay.scanner.filekinds import HOSTED_SETTINGS
from assay.scanner.readers.span import Span
from assay.scanner.readers.text import decode

_BADGES = (
    ("Snyk", re.compile(r"snyk\.io/(test|advisor|.*badge)")),
    ("Sonar", re.compile(r"sonarcloud\.io/|sonar\.[\w.-]+/api/project_badges")),
    ("Codacy", re.compile(r"(app|api|www)\.codacy\.com/")),
    ("DeepSource", re.compile(r"deepsource\.(io|com)/")),
    ("Code Climate", re.compile(r"codeclimate\.com/|qlty\.sh/")),
    ("PyUp", re.compile(r"pyup\.io/")),
    ("GitGuardian", re.compile(r"gitguardian\.com/")),
    ("CodeQL", re.compile(r"github-code-scanning/codeql")),
    ("FOSSA", re.compile(r"app\.fossa\.(com|io)/")),
    ("Socket", re.compile(r"socket\.dev/")),
)


class HostedFacts(msgspec.Struct, frozen=True, array_like=True, tag="hosted"):
    """The tools that one file names."""

    tools: tuple[tuple[str, Span], ...] = ()


def read(path: str, data: bytes) -> HostedFacts:
    """Read one file. Raises ReadProblem for what is no text."""
    tool = HOSTED_SETTINGS.get(posixpath.basename(path))
    if tool is not None:
        return HostedFacts(((tool, Span(1, 1, 1, 1)),))
    text = decode(data)
    found = []
    for name, pattern in _BADGES:
        badge = pattern.search(text)
        if badge is not None:
            line = text.count("\n", 0, badge.start()) + 1
            found.append((name, Span(line, 1, line, 1)))
    return HostedFacts(tuple(found))
