"""Why scores moved, as JSON: for programs, with every finding that changed."""

from __future__ import annotations

from typing import Literal

import msgspec

from assay.reports.jsontext import json_document, schema_text
from assay.scanner.causes import Cause, RuleTurn
from assay.scanner.movement import FindingChange, Movement, ServiceMovement, Turn, usual_cause
from assay.scanner.results import ScanResult
from assay.scanner.verdicts import Kind, Severity

SCHEMA_VERSION: Literal["1.0"] = "1.0"
"""The minor number grows when fields are added, the major one when any is changed or removed."""


class Side(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the two results."""

    commit: str | None
    edition: str
    tool_version: str
    configuration: str


class Principle(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A principle whose score isn't what it was."""

    id: str
    before: float | None
    after: float | None


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A service's scores; `parts` are points by cause that add up to the change, empty where there is no score."""

    name: str
    before: float | None
    after: float | None
    parts: dict[Cause, float]
    principles: tuple[Principle, ...]


class Rule(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A rule that the two results don't treat alike."""

    code: str
    turn: RuleTurn
    cause: Cause


class Finding(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What became of a finding, and why."""

    turn: Turn
    cause: Cause
    rule: str
    kind: Kind
    severity: Severity
    service: str
    path: str
    line: int
    message: str
    fingerprint: str


class Difference(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Two results; `counts` are of fails that code or waivers changed."""

    schema_version: Literal["1.0"]
    old: Side
    new: Side
    counts: dict[Turn, int]
    services: tuple[Service, ...]
    rules: tuple[Rule, ...]
    now_read: tuple[str, ...]
    now_unread: tuple[str, ...]
    findings: tuple[Finding, ...]


def render(movement: Movement) -> str:
    """The same text for the same results."""
    return json_document(
        Difference(
            schema_version=SCHEMA_VERSION,
            old=_side(movement.old),
            new=_side(movement.new),
            counts={turn: movement.count(turn, usual_cause(turn)) for turn in Turn},
            services=tuple(_service(service) for service in movement.services),
            rules=tuple(Rule(change.code, change.turn, change.cause) for change in movement.rules),
            now_read=movement.now_read,
            now_unread=movement.now_unread,
            findings=tuple(_finding(change) for change in movement.findings),
        )
    )


def schema() -> str:
    """The JSON Schema (2020-12) of it, as `schemas/diff.schema.json` holds it."""
    return schema_text(Difference, f"Assay diff {SCHEMA_VERSION}")


def _side(result: ScanResult) -> Side:
    return Side(result.scanned.commit, result.edition, result.tool_version, result.configuration)


def _service(service: ServiceMovement) -> Service:
    parts = {cause: float(points) for cause, points in service.parts.items()}
    principles = tuple(Principle(p.id, p.before, p.after) for p in service.principles)
    return Service(service.service, service.before, service.after, parts, principles)


def _finding(change: FindingChange) -> Finding:
    finding = change.finding
    return Finding(
        change.turn,
        change.cause,
        finding.rule,
        finding.kind,
        finding.severity,
        finding.service,
        finding.location.path,
        finding.location.line,
        finding.message,
        finding.fingerprint,
    )
