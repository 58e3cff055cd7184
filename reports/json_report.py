"""The JSON report: Assay's public, machine-readable contract, written and read back.

It holds all that any report needs, so that `assay convert` makes of it what the scan itself would have written.
"""

from __future__ import annotations

from pathlib import Path
from typing import TypeVar

import msgspec

from assay.reports import json_contract as contract
from assay.reports.json_contract import SCHEMA_VERSION
from assay.reports.jsontext import json_document, schema_text
from assay.scanner import results
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.results import GateStatus, ScanResult

_DECISIONS = {
    GateStatus.PASSED: contract.Decision.PASSED,
    GateStatus.FAILED: contract.Decision.FAILED,
    GateStatus.UNTRUSTED: contract.Decision.NOT_EVALUATED,
}
_STATUSES = {decision: status for status, decision in _DECISIONS.items()}


class ReportError(Exception):
    """A file is no report that can be read; the message is for the user and names file and field."""


def render(result: ScanResult) -> str:
    """The report as JSON text, the same bytes for the same result.

    Raises msgspec.ValidationError if the result breaks the contract, such as a score above 100.
    """
    return json_document(
        contract.Report(
            schema_version=SCHEMA_VERSION,
            tool=contract.Tool("assay", result.tool_version),
            edition=result.edition,
            configuration=result.configuration,
            execution=result.execution,
            gate=None if result.gate is None else _gate(result.gate),
            notices=result.notices,
            scanned=_copied(result.scanned, contract.Scanned),
            services=_copied(result.services, tuple[contract.Service, ...]),
            rules=tuple(_rule(rule) for rule in result.rules),
            verdicts=_copied(result.verdicts, tuple[contract.Verdict, ...]),
            diagnostics=_copied(result.diagnostics, tuple[contract.Diagnostic, ...]),
            base=None if result.base is None else _copied(result.base, contract.Base),
            ignores=_copied(result.ignores, tuple[contract.IgnoreComment, ...]),
            sources=_copied(result.sources, contract.LinesByFile),
            openings=_copied(result.openings, contract.LinesByFile),
            files=_copied(result.files, dict[str, str]),
            exclude=result.exclude,
            owners=_copied(result.owners, dict[str, tuple[str, ...]]),
        )
    )


def read(file: Path) -> ScanResult:
    """The result that a report was written from, but for how long its scan took. Raises ReportError."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise ReportError(f"{file}: it can't be read: {error.strerror or error}") from error
    return parsed(data, str(file))


def parsed(data: bytes, name: str) -> ScanResult:
    """The same of a report's bytes; `name` is what errors call it. Raises ReportError."""
    report = _decoded(data, name)
    scanned = report.scanned
    since = None if scanned.since is None else _copied(scanned.since, results.Since)
    return ScanResult(
        edition=report.edition,
        scanned=results.Scanned(
            root=scanned.root,
            commit=scanned.commit,
            committed=scanned.committed,
            seconds=0.0,
            files=scanned.files,
            lines=scanned.lines,
            since=since,
            prefix=scanned.prefix,
            web=scanned.web,
        ),
        services=_copied(report.services, tuple[results.ServiceResult, ...]),
        rules=_copied(report.rules, tuple[results.RuleInfo, ...]),
        verdicts=_copied(report.verdicts, tuple[results.JudgedVerdict, ...]),
        diagnostics=_copied(report.diagnostics, tuple[Diagnostic, ...]),
        sources=report.sources,
        openings=report.openings,
        files=report.files,
        exclude=report.exclude,
        owners=report.owners,
        tool_version=report.tool.version,
        ignores=_copied(report.ignores, tuple[results.IgnoreComment, ...]),
        configuration=report.configuration,
        base=None if report.base is None else _copied(report.base, results.Base),
        gate=None if report.gate is None else _gate_result(report.gate),
        notices=report.notices,
    )


def schema() -> str:
    """The JSON Schema (2020-12) of the report, as `schemas/report.schema.json` holds it."""
    return schema_text(contract.Report, f"Assay report {SCHEMA_VERSION}")


class _AnyReport(msgspec.Struct):
    """What tells whether something is a report at all, and of which version."""

    schema_version: str | int | float | None = None
    tool: object = None


def _decoded(data: bytes, name: str) -> contract.Report:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ReportError(f"{name}: it is not JSON: not UTF-8 at byte {error.start}") from error
    try:
        _check_version(text, name)
        report = msgspec.json.decode(text, type=contract.Report)
    except msgspec.ValidationError as error:
        raise ReportError(f"{name}: it is no JSON report of Assay {SCHEMA_VERSION}: {_in_words(error)}") from error
    except msgspec.DecodeError as error:
        raise ReportError(f"{name}: {_broken(text, error)}") from error
    codes = {rule.code for rule in report.rules}
    for number, verdict in enumerate(report.verdicts):
        if verdict.rule not in codes:
            raise ReportError(f"{name}: verdicts[{number}].rule: the report describes no rule {verdict.rule!r}")
    return report


def _broken(text: str, error: msgspec.DecodeError) -> str:
    if not text.strip():
        return "it is empty; was the scan that should have written it interrupted?"
    if "truncated" in str(error):
        return "it is not whole: the JSON ends too early; write it anew with `assay scan --report json=FILE`"
    return f"it is not JSON: {error}"


def _check_version(text: str, name: str) -> None:
    """Raises ReportError for another document and for a version that this one can't read."""
    scan = "`assay scan --report json=FILE` writes one"
    try:
        head = msgspec.json.decode(text, type=_AnyReport)
    except msgspec.ValidationError as error:
        raise ReportError(f"{name}: it is no JSON report of Assay; {scan}") from error
    tool = head.tool if isinstance(head.tool, dict) else {}
    version = str(head.schema_version)
    if tool.get("name") != "assay" or head.schema_version is None:
        raise ReportError(f"{name}: it is no JSON report of Assay; {scan}")
    if version == SCHEMA_VERSION:
        return
    wrote = f"version {version} of the report, by Assay {tool.get('version')}; this Assay reads {SCHEMA_VERSION}"
    raise ReportError(f"{name}: it is {wrote}: take the Assay that wrote it, or scan anew")


def _in_words(error: msgspec.ValidationError) -> str:
    """msgspec names the field by its path, such as `$.verdicts[3].location.line`."""
    problem, _, path = str(error).partition(" - at ")
    return f"{path.strip('`').removeprefix('$.') or 'the top level'}: {problem[:1].lower()}{problem[1:]}"


Copied = TypeVar("Copied")


def _copied(source: object, target: type[Copied]) -> Copied:
    """The attributes that the target names, checked against it."""
    return msgspec.convert(source, target, from_attributes=True)


def _rule(rule: results.RuleInfo) -> contract.Rule:
    return contract.Rule(
        code=rule.code,
        name=rule.name,
        title=rule.title,
        principle=rule.principle,
        severity=rule.severity,
        cwe=rule.cwe,
        help=f"Why: {rule.why}\nFix: {rule.fix}",
        why=rule.why,
        fix=rule.fix,
        references=rule.references,
        advisory=rule.advisory,
        since=rule.since,
        is_preview=rule.is_preview,
        subject=rule.subject,
        options=_copied(rule.options, tuple[contract.RuleOption, ...]),
    )


def _gate(gate: results.GateResult) -> contract.Gate:
    conditions = _copied(gate.conditions, tuple[contract.Condition, ...])
    return contract.Gate(_DECISIONS[gate.status], gate.reason, gate.is_enforced, conditions)


def _gate_result(gate: contract.Gate) -> results.GateResult:
    conditions = _copied(gate.conditions, tuple[results.Condition, ...])
    return results.GateResult(_STATUSES[gate.status], gate.reason, conditions, gate.is_enforced)
