"""Scenarios of load tests that aren't Python: k6, JMeter, Artillery, Gatling. What matters is that there are some."""

from __future__ import annotations

import re

import msgspec

from assay.scanner.readers.text import decode

_TOOLS = (
    ("k6", re.compile(r"""from\s+['"]k6(/|['"])|require\(\s*['"]k6""")),
    ("JMeter", re.compile(r"<jmeterTestPlan\b")),
    ("Artillery", re.compile(r"^\s+phases\s*:.*^\s*scenarios\s*:", re.MULTILINE | re.DOTALL)),
    ("Artillery", re.compile(r"^\s*scenarios\s*:.*^\s+phases\s*:", re.MULTILINE | re.DOTALL)),
    ("Taurus", re.compile(r"^execution\s*:.*^scenarios\s*:", re.MULTILINE | re.DOTALL)),
    ("Gatling", re.compile(r"\bio\.gatling\b")),
)
_LIMITS = re.compile(
    r"\bthresholds\b\s*['\"]?\s*:|\bDurationAssertion\b|^\s+ensure\s*:|\bassertions\s*\(", re.MULTILINE
)


class ScenarioFacts(msgspec.Struct, frozen=True, array_like=True, tag="scenario"):
    """The tool whose scenario the file is; empty for something else in a folder of load tests. `has_limits` says that
    a run of it fails by its own thresholds.
    """

    tool: str = ""
    has_limits: bool = False


def read(path: str, data: bytes) -> ScenarioFacts:  # noqa: ARG001 - every reader has the same signature
    """Read one file. Raises ReadProblem for what is no text."""
    text = decode(data)
    tool = next((tool for tool, pattern in _TOOLS if pattern.search(text)), "")
    return ScenarioFacts(tool, bool(tool) and _LIMITS.search(text) is not None)
