"""The SARIF report: verdicts as editors, archives and code scanning services read them (OASIS SARIF 2.1.0)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import PurePath
from typing import Literal

from assay.reports.jsontext import float_free_json_line
from assay.reports.sarif_log import (
    ArtifactLocation,
    AutomationDetails,
    BaseProperties,
    Driver,
    DriverProperties,
    GateProperties,
    Invocation,
    Log,
    LogicalLocation,
    Message,
    Notification,
    Result,
    ResultProperties,
    Run,
    RunProperties,
    SarifLocation,
    SinceProperties,
    Suppression,
    SuppressionProperties,
    Tool,
)
from assay.reports.sarif_places import Places, message
from assay.reports.sarif_rules import LEVELS, descriptor
from assay.scanner.results import (
    Acceptance,
    AcceptedBy,
    GateStatus,
    JudgedVerdict,
    RuleInfo,
    ScanResult,
    State,
)
from assay.scanner.verdicts import Kind

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
SOURCE_ROOT = "SRCROOT"
"""The name of the scanned root in the log: every other URI is relative to it (§3.14.14)."""

_BaselineState = Literal["new", "unchanged", "updated", "absent"]
_STATES: Mapping[State, _BaselineState] = {
    State.NEW: "new",
    State.EDITED: "updated",
    State.MOVED: "unchanged",
    State.KNOWN: "unchanged",
}
"""§3.27.24; a place is no part of a finding's identity."""

_PLACES = Places(base=SOURCE_ROOT)


def render(result: ScanResult) -> str:
    """The whole result as a log of one run, the same bytes for the same result.

    Every verdict is in it with its `kind`, the passed ones too; accepted findings are suppressed, and those that are
    gone since the base are `absent`, not left out.
    """
    since, base, gate = result.scanned.since, result.base, result.gate
    run = Run(
        tool=tool(result, result.rules),
        automation_details=automation_details(result),
        invocations=(invocation(result, map(_PLACES.notification, result.diagnostics)),),
        original_uri_base_ids={SOURCE_ROOT: _source_root(result.scanned.root)},
        column_kind="unicodeCodePoints",
        results=tuple(_results(result)),
        properties=RunProperties(
            result.scanned.commit,
            SinceProperties(since.revision, since.base, since.hidden) if since else None,
            BaseProperties(base.kind, base.name, base.commit) if base else None,
            GateProperties(gate.status, gate.reason, gate.is_enforced) if gate else None,
        ),
    )
    return log_text(run)


def log_text(run: Run) -> str:
    """A log of one run, in one line: GitHub refuses a second run of the same category."""
    return float_free_json_line(Log(schema=SCHEMA, version="2.1.0", runs=(run,)))


def tool(result: ScanResult, rules: Iterable[RuleInfo]) -> Tool:
    """Assay, its version, the edition of the standard, and the rules that results point to by index."""
    return Tool(
        Driver(
            name="assay",
            version=result.tool_version,
            semantic_version=result.tool_version,
            rules=tuple(map(descriptor, rules)),
            properties=DriverProperties(result.edition),
        )
    )


def automation_details(result: ScanResult) -> AutomationDetails:
    """A category for each folder that is scanned by itself, whatever services are found in it.

    So scans of two folders of a repository don't close each other's alerts, and a second service doesn't either.
    """
    return AutomationDetails(f"assay/{result.scanned.prefix}")


def invocation(result: ScanResult, notifications: Iterable[Notification]) -> Invocation:
    """How the scan went, and what a person should know of it. The exit code is the gate's where one was asked."""
    gate = result.gate
    untrusted = any(d.reason.is_internal_error for d in result.diagnostics) or (
        gate is not None and gate.status is GateStatus.UNTRUSTED
    )
    failed = gate is not None and gate.status is GateStatus.FAILED and gate.is_enforced
    return Invocation(
        execution_successful=not untrusted,
        exit_code=2 if untrusted else 1 if failed else 0,
        exit_code_description=gate.reason if gate else None,
        tool_execution_notifications=(
            *notifications,
            *(Notification("note", message(notice)) for notice in result.notices),
        ),
    )


def _source_root(root: str) -> ArtifactLocation:
    path = PurePath(root)
    return ArtifactLocation(
        uri=path.as_uri().removesuffix("/") + "/" if path.is_absolute() else None,
        description=Message("the scanned root"),
    )


def _results(result: ScanResult) -> Iterator[Result]:
    indexes = {rule.code: index for index, rule in enumerate(result.rules)}
    for verdict in result.verdicts:
        state = None if verdict.state is None else _STATES[verdict.state]
        yield _result(verdict, indexes.get(verdict.rule, -1), state)
    for verdict in result.base.fixed if result.base else ():
        yield _result(verdict, indexes.get(verdict.rule, -1), "absent")


def _result(verdict: JudgedVerdict, rule_index: int, state: _BaselineState | None) -> Result:
    subject = LogicalLocation(verdict.subject.label, verdict.subject.id, verdict.subject.kind)
    return Result(
        rule_id=verdict.rule,
        rule_index=rule_index,
        kind=verdict.kind,
        level=LEVELS[verdict.severity] if verdict.kind is Kind.FAIL else "none",
        message=message(verdict.message),
        locations=(SarifLocation(_PLACES.physical(verdict.location), logical_locations=(subject,)),),
        baseline_state=state,
        suppressions=() if verdict.acceptance is None else (_suppression(verdict.acceptance),),
        partial_fingerprints=fingerprints(verdict),
        properties=ResultProperties(
            verdict.service, verdict.severity, verdict.state, None if verdict.lapsed is None else str(verdict.lapsed)
        ),
        code_flows=tuple(map(_PLACES.code_flow, verdict.flows)),
        related_locations=tuple(
            _PLACES.related(evidence, number) for number, evidence in enumerate(verdict.evidence, start=1)
        ),
    )


def fingerprints(verdict: JudgedVerdict) -> dict[str, str]:
    """Assay's identity of the finding and, where it has one, that of GitHub's code scanning."""
    own = {"findingId/v1": verdict.fingerprint}
    return own | ({"primaryLocationLineHash": verdict.line_hash} if verdict.line_hash else {})


def _suppression(word: Acceptance) -> Suppression:
    more = SuppressionProperties(word.id, word.owner, word.approver, word.ticket, word.created, word.expires)
    kind: Literal["inSource", "external"] = "inSource" if word.by is AcceptedBy.IGNORE else "external"
    return Suppression(kind, "accepted", str(word), more if more != SuppressionProperties() else None)
