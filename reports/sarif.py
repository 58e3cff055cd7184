"""The SARIF report: verdicts as code scanning services and editors read them (OASIS SARIF 2.1.0)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import PurePath
from urllib.parse import quote

from assay.reports.jsontext import json_text
from assay.reports.markdown import escaped
from assay.reports.sarif_log import (
    ArtifactLocation,
    AutomationDetails,
    CodeFlow,
    DescriptorReference,
    Driver,
    DriverProperties,
    Invocation,
    Level,
    Log,
    LogicalLocation,
    Message,
    Notification,
    PhysicalLocation,
    Region,
    ReportingConfiguration,
    ReportingDescriptor,
    Result,
    ResultProperties,
    RuleProperties,
    Run,
    RunProperties,
    SarifLocation,
    SinceProperties,
    Suppression,
    ThreadFlow,
    ThreadFlowLocation,
    Tool,
)
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict, RuleInfo, Scanned, ScanResult
from assay.scanner.verdicts import Kind, Severity

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SOURCE_ROOT = "SRCROOT"
"""The name of the scanned root in the log: every other URI is relative to it (§3.14.14)."""

LEVELS: Mapping[Severity, Level] = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.LOW: "note",
}
SECURITY_SEVERITIES = {Severity.CRITICAL: "9.0", Severity.HIGH: "7.5", Severity.MEDIUM: "5.0", Severity.LOW: "2.5"}
"""On the scale of CVSS, as text: GitHub's code scanning sorts and gates security rules by it."""
PROBLEM_SEVERITIES: Mapping[Level, str] = {"error": "error", "warning": "warning", "note": "recommendation"}
"""GitHub's words for the severity of a rule that isn't about security."""

DESCRIPTION_LIMIT = 1024
"""Characters of a description that GitHub's code scanning takes."""

_ACTS_IN_A_LINK = re.compile(r"[\\\[\]]")


def render(result: ScanResult) -> str:
    """The whole result as a log of one run, the same bytes for the same result.

    Every verdict is in it with its `kind`, the passed ones too; waived findings are suppressed, not left out.
    """
    indexes = {rule.code: index for index, rule in enumerate(result.rules)}
    run = Run(
        tool=Tool(_driver(result)),
        automation_details=AutomationDetails("assay/"),
        invocations=(_invocation(result),),
        original_uri_base_ids={SOURCE_ROOT: _source_root(result.scanned.root)},
        column_kind="unicodeCodePoints",
        results=tuple(_result(verdict, indexes[verdict.rule]) for verdict in result.verdicts),
        properties=_run_properties(result.scanned),
    )
    return json_text(Log(schema=SCHEMA, version="2.1.0", runs=(run,)))


def _run_properties(scanned: Scanned) -> RunProperties:
    since = scanned.since
    return RunProperties(scanned.commit, SinceProperties(since.revision, since.base, since.hidden) if since else None)


def _driver(result: ScanResult) -> Driver:
    return Driver(
        name="assay",
        version=result.tool_version,
        semantic_version=result.tool_version,
        rules=tuple(_descriptor(rule) for rule in result.rules),
        properties=DriverProperties(result.edition),
    )


def _descriptor(rule: RuleInfo) -> ReportingDescriptor:
    level = LEVELS[rule.severity]
    return ReportingDescriptor(
        id=rule.code,
        name=rule.name,
        short_description=Message(_shortened(rule.title)),
        full_description=Message(_shortened(f"{rule.title} Why: {rule.why}")),
        help=_help(rule),
        default_configuration=ReportingConfiguration(level),
        properties=_rule_properties(rule, level),
        help_uri=next((r for r in rule.references if r.startswith("https://")), None),
    )


def _shortened(text: str) -> str:
    return text if len(text) <= DESCRIPTION_LIMIT else text[: DESCRIPTION_LIMIT - 1] + "…"


def _help(rule: RuleInfo) -> Message:
    plain = [f"Why: {rule.why}", f"Fix: {rule.fix}"]
    marked = [f"**Why:** {escaped(rule.why)}", f"**Fix:** {escaped(rule.fix)}"]
    if rule.references:
        plain.append("See: " + ", ".join(rule.references))
        marked.append("**See:** " + ", ".join(escaped(reference) for reference in rule.references))
    return Message(text="\n".join(plain), markdown="\n\n".join(marked))


def _rule_properties(rule: RuleInfo, level: Level) -> RuleProperties:
    weaknesses = tuple(f"external/cwe/cwe-{number}" for number in rule.cwe)
    if not weaknesses and not rule.principle.startswith("SEC"):
        return RuleProperties((rule.principle,), problem_severity=PROBLEM_SEVERITIES[level], advisory=rule.advisory)
    return RuleProperties(
        ("security", rule.principle, *weaknesses),
        security_severity=SECURITY_SEVERITIES[rule.severity],
        advisory=rule.advisory,
    )


def _invocation(result: ScanResult) -> Invocation:
    return Invocation(
        execution_successful=not any(d.reason.is_internal_error for d in result.diagnostics),
        tool_execution_notifications=tuple(_notification(d) for d in result.diagnostics),
    )


def _notification(diagnostic: Diagnostic) -> Notification:
    region = None if diagnostic.line is None else Region(diagnostic.line)
    return Notification(
        descriptor=DescriptorReference(diagnostic.reason),
        level="error" if diagnostic.reason.is_internal_error else "warning",
        message=_message(diagnostic.message),
        locations=(SarifLocation(PhysicalLocation(_artifact(diagnostic.path), region)),),
    )


def _source_root(root: str) -> ArtifactLocation:
    path = PurePath(root)
    return ArtifactLocation(
        uri=path.as_uri().removesuffix("/") + "/" if path.is_absolute() else None,
        description=Message("the scanned root"),
    )


def _result(verdict: JudgedVerdict, rule_index: int) -> Result:
    subject = LogicalLocation(verdict.subject.label, verdict.subject.id, verdict.subject.kind)
    return Result(
        rule_id=verdict.rule,
        rule_index=rule_index,
        kind=verdict.kind,
        level=LEVELS[verdict.severity] if verdict.kind is Kind.FAIL else "none",
        message=_message(verdict.message),
        locations=(SarifLocation(_physical(verdict.location), logical_locations=(subject,)),),
        suppressions=_suppressions(verdict),
        partial_fingerprints={"findingId/v1": verdict.fingerprint},
        properties=ResultProperties(verdict.service),
        code_flows=tuple(_code_flow(steps) for steps in verdict.flows),
        related_locations=tuple(
            _related(evidence, number) for number, evidence in enumerate(verdict.evidence, start=1)
        ),
    )


def _suppressions(verdict: JudgedVerdict) -> tuple[Suppression, ...]:
    return () if verdict.waiver is None else (Suppression("external", "accepted", verdict.waiver),)


def _code_flow(steps: tuple[Evidence, ...]) -> CodeFlow:
    places = (SarifLocation(_physical(step.location), message=_message(step.text)) for step in steps)
    return CodeFlow((ThreadFlow(tuple(ThreadFlowLocation(place) for place in places)),))


def _related(evidence: Evidence, number: int) -> SarifLocation:
    return SarifLocation(_physical(evidence.location), id=number, message=_message(evidence.text))


def _physical(location: Location) -> PhysicalLocation:
    region = Region(location.line, location.column, location.end_line, location.end_column)
    return PhysicalLocation(_artifact(location.path), region)


def _artifact(path: str) -> ArtifactLocation:
    # surrogateescape gives back the very bytes of a file name that isn't UTF-8
    return ArtifactLocation(uri=quote(path, safe="/", errors="surrogateescape"), uri_base_id=SOURCE_ROOT)


def _message(text: str) -> Message:
    """§3.11.6: what reads like an embedded link in scanned text must not become one."""
    return Message(_ACTS_IN_A_LINK.sub(r"\\\g<0>", text) if "](" in text else text)
