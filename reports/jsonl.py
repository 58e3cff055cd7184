"""JSON lines: an object for each finding, with all that a program or a coding agent needs to act on it.

The structs are the contract. Every object says by `type` what it is; a file that wasn't read is one of its own, as
"no findings" would be the wrong word for it.
"""

from __future__ import annotations

from typing import Literal

import msgspec

from assay.reports import selection
from assay.reports.jsontext import json_line
from assay.scanner import diagnostics as notes
from assay.scanner.diagnostics import Reason
from assay.scanner.model import place as places
from assay.scanner.results import Acceptance, JudgedVerdict, RuleInfo, ScanResult, State
from assay.scanner.verdicts import Kind, Severity


class Evidence(msgspec.Struct, frozen=True):
    """A place, and what it shows."""

    path: str
    line: int
    text: str


class Finding(msgspec.Struct, frozen=True):
    """Lines and columns count from 1; columns count code points; the end is exclusive. `state` is what became of it
    since the base, null where there is none. `accepted` says by whom, why and until when it may stay. `counts` is
    whether it counts in scores and at the gate.
    """

    type: Literal["finding"]
    rule: str
    name: str
    principle: str
    severity: Severity
    kind: Kind
    state: State | None
    counts: bool
    service: str
    path: str
    line: int
    column: int
    end_line: int
    end_column: int
    subject: str
    message: str
    evidence: tuple[Evidence, ...]
    why: str
    fix: str
    accepted: Acceptance | None
    fingerprint: str


class Diagnostic(msgspec.Struct, frozen=True):
    """A file that wasn't read, or an error in Assay: what it hides is unknown."""

    type: Literal["diagnostic"]
    reason: Reason
    path: str
    line: int | None
    message: str


def render(result: ScanResult) -> str:
    """A line for each finding by path and line, after them what is missing."""
    rules = {rule.code: rule for rule in result.rules}
    objects: list[Finding | Diagnostic] = [_finding(v, rules[v.rule]) for v in result.verdicts if v.is_finding]
    objects += [_diagnostic(d) for d in selection.grave(result.diagnostics)]
    return "".join(json_line(o) for o in objects)


def _finding(verdict: JudgedVerdict, rule: RuleInfo) -> Finding:
    location = verdict.location
    return Finding(
        type="finding",
        rule=rule.code,
        name=rule.name,
        principle=rule.principle,
        severity=verdict.severity,
        kind=verdict.kind,
        state=verdict.state,
        counts=rule.counts and verdict.acceptance is None and verdict.kind is Kind.FAIL,
        service=verdict.service,
        path=location.path,
        line=location.line,
        column=location.column,
        end_line=location.end_line,
        end_column=location.end_column,
        subject=verdict.subject.label,
        message=verdict.message,
        evidence=tuple(_evidence(step) for step in verdict.evidence),
        why=rule.why,
        fix=rule.fix,
        accepted=verdict.acceptance,
        fingerprint=verdict.fingerprint,
    )


def _evidence(evidence: places.Evidence) -> Evidence:
    return Evidence(evidence.location.path, evidence.location.line, evidence.text)


def _diagnostic(diagnostic: notes.Diagnostic) -> Diagnostic:
    return Diagnostic("diagnostic", diagnostic.reason, diagnostic.path, diagnostic.line, diagnostic.message)
