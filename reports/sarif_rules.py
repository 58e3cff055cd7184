"""Rules as descriptors of a SARIF log, within the limits that GitHub documents ("SARIF support for code scanning")."""

from __future__ import annotations

import re
from collections.abc import Mapping

from assay.reports.markdown import escaped
from assay.reports.sarif_log import (
    Level,
    Message,
    ReportingConfiguration,
    ReportingDescriptor,
    RuleProperties,
)
from assay.scanner.results import RuleInfo
from assay.scanner.verdicts import Severity

LEVELS: Mapping[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}

_SECURITY_SEVERITIES = {Severity.CRITICAL: "9.5", Severity.HIGH: "8.0", Severity.MEDIUM: "5.5", Severity.LOW: "2.5"}
"""On the scale of CVSS, as text. GitHub calls what is above 9.0 critical, from 7.0 high, from 4.0 medium."""
_PROBLEM_SEVERITIES: Mapping[Level, str] = {"error": "error", "warning": "warning", "note": "recommendation"}
"""GitHub's words for the severity of a rule that isn't about security."""
_SECURITY_SECTION, _SECURITY_PRINCIPLES = "SEC", ("API6",)
"""What else is a security matter: authentication and authorization of an API."""

_NAME_LIMIT, _DESCRIPTION_LIMIT, _TAG_LIMIT = 255, 1024, 20
"""Characters, characters and tags that GitHub takes."""
_ADDRESS = re.compile(r"https://[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]+")


def descriptor(rule: RuleInfo) -> ReportingDescriptor:
    """The rule with all that a code scanning service shows of it; no text of it is empty."""
    level = LEVELS[rule.severity]
    return ReportingDescriptor(
        id=rule.code,
        name=shortened(rule.name, _NAME_LIMIT),
        short_description=Message(shortened(rule.title or rule.code)),
        full_description=Message(shortened(f"{rule.title} Why: {rule.why}")),
        help=_help(rule),
        default_configuration=ReportingConfiguration(level),
        properties=_properties(rule, level),
        help_uri=next(filter(_ADDRESS.fullmatch, rule.references), None),
    )


def shortened(text: str, limit: int = _DESCRIPTION_LIMIT) -> str:
    """At most so many characters of it."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def _help(rule: RuleInfo) -> Message:
    plain = [f"Why: {rule.why}", f"Fix: {rule.fix}"]
    marked = [f"**Why:** {escaped(rule.why)}", f"**Fix:** {escaped(rule.fix)}"]
    if rule.references:
        plain.append("See: " + ", ".join(rule.references))
        marked.append("**See:** " + ", ".join(map(_marked, rule.references)))
    return Message(text="\n".join(plain), markdown="\n\n".join(marked))


def _marked(reference: str) -> str:
    # CommonMark 0.31 §6.5: between angle brackets an address is a link, and nothing in it is markup.
    return f"<{reference}>" if _ADDRESS.fullmatch(reference) else escaped(reference)


def _properties(rule: RuleInfo, level: Level) -> RuleProperties:
    section = rule.section
    is_security = section == _SECURITY_SECTION or rule.principle in _SECURITY_PRINCIPLES
    tags = dict.fromkeys(
        (*(["security"] if is_security else []), section, rule.principle, *(f"external/cwe/cwe-{n}" for n in rule.cwe))
    )
    return RuleProperties(
        tuple(tags)[:_TAG_LIMIT],
        # A fail is sure, and what isn't is a review; an analyzer's check knows less of what stands around.
        precision="medium" if rule.advisory else "high",
        security_severity=_SECURITY_SEVERITIES[rule.severity] if is_security else None,
        problem_severity=None if is_security else _PROBLEM_SEVERITIES[level],
        since=rule.since or None,
        preview=rule.is_preview,
        advisory=rule.advisory,
    )
