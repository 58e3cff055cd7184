"""The addresses of the report's pages: what stands after `#`, so that any view can be linked to and sent."""

from __future__ import annotations

from urllib.parse import quote, urlencode

from assay.scanner.results import JudgedVerdict

SHOWN_FINGERPRINT = 12
"""Hex digits of a fingerprint that name a finding everywhere."""


def of_finding(finding: JudgedVerdict) -> str:
    """The page of one finding."""
    return f"#/f/{quote(finding.fingerprint[:SHOWN_FINGERPRINT])}"


def of_findings(**facets: str) -> str:
    """The list of findings, narrowed to a value of each facet."""
    return "#/findings" + (f"?{urlencode(facets)}" if facets else "")


def of_subjects(**facets: str) -> str:
    """The list of subjects, narrowed to a value of each facet."""
    return f"#/subjects?{urlencode(facets)}"


def of_principle(principle: str) -> str:
    """The page of a principle."""
    return f"#/p/{quote(principle)}"


def of_rule(code: str) -> str:
    """The page of a rule."""
    return f"#/rules/{quote(code)}"
