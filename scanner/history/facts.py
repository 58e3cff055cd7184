"""What is kept of a scan's result, service by service. Only rules that count are: no analyzers' checks, no previews."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from assay.scanner.history.runs import Key, Value
from assay.scanner.results import JudgedVerdict, ScanResult, ServiceResult, State
from assay.scanner.verdicts import Kind, Severity

__all__ = ["findings", "principles", "rules", "scan_values", "sections"]


def scan_values(result: ScanResult, service: ServiceResult) -> dict[str, object]:
    """The columns of a scan that its result tells."""
    scanned, gate = result.scanned, result.gate
    found = findings(result, service)
    fails = Counter(f.severity for f in found if f.kind is Kind.FAIL and f.acceptance is None)
    return {
        "commit": scanned.commit,
        "tree": scanned.root,
        "prefix": scanned.prefix,
        "root": service.root,
        "frameworks": "\n".join(service.frameworks),
        "team": result.team(service),
        "tool_version": result.tool_version,
        "edition": result.edition,
        "configuration": result.configuration,
        "execution": result.execution.value,
        "score": service.score,
        "score_before_waivers": service.score_before_waivers,
        "grade": service.grade,
        "coverage": service.coverage,
        "files_read": service.files_read,
        "files_wanted": service.files_wanted,
        **{severity.value: fails[severity] for severity in Severity},
        "review": sum(f.kind is Kind.REVIEW and f.acceptance is None for f in found),
        "accepted": sum(f.acceptance is not None for f in found),
        "new": _new(result, service),
        "fixed": _fixed(result, service),
        "gate_status": None if gate is None else gate.status.value,
        "gate_reason": "" if gate is None else gate.reason,
        "gate_is_enforced": gate is not None and gate.is_enforced,
    }


def sections(service: ServiceResult) -> Mapping[Key, Value]:
    """The score by section."""
    return {section.id: (section.score,) for section in service.sections}


def principles(service: ServiceResult) -> Mapping[Key, Value]:
    """Status, score, cap, passed, failed and the end of the attestation by principle."""
    return {
        p.id: (
            p.status.value,
            p.score,
            p.cap,
            sum(rule.passed for rule in p.rules),
            sum(rule.failed for rule in p.rules),
            "" if p.attestation is None else p.attestation.expires,
        )
        for section in service.sections
        for p in section.principles
    }


def rules(result: ScanResult, service: ServiceResult) -> Mapping[Key, Value]:
    """Severity and counts by rule, of those that found anything to judge."""
    severities = {rule.code: rule.severity.value for rule in result.rules if rule.counts}
    return {
        rule.code: (severities[rule.code], rule.passed, rule.failed, rule.review, rule.not_applicable, rule.waived)
        for section in service.sections
        for principle in section.principles
        for rule in principle.rules
        if rule.code in severities and (rule.passed or rule.failed or rule.review or rule.waived)
    }


def findings(result: ScanResult, service: ServiceResult) -> list[JudgedVerdict]:
    """Those of the service that count, accepted ones too."""
    counting = result.counting
    return [v for v in result.verdicts if v.is_finding and v.service == service.name and v.rule in counting]


def _new(result: ScanResult, service: ServiceResult) -> int | None:
    if result.base is None:
        return None
    return sum(f.state is State.NEW and f.acceptance is None for f in findings(result, service))


def _fixed(result: ScanResult, service: ServiceResult) -> int | None:
    """A baseline's entries name no service; with one service they are its own."""
    if result.base is None:
        return None
    names = {service.name, ""} if len(result.services) == 1 else {service.name}
    counting = result.counting
    return sum(f.service in names and f.rule in counting for f in result.base.fixed)
