"""What the pages that the script draws are drawn from: verdicts, rules and diagnostics, as JSON.

Verdicts are tables of numbers, packed, and one table of strings: a fourth as large as objects, and quickly read.
`script/model.js` is what reads it; both name everything alike.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from assay.reports import arithmetic
from assay.reports.html.strings import Strings
from assay.reports.html.verdict_tables import FAMILIES, SEVERITIES, VerdictTables
from assay.reports.html.web_links import web_links
from assay.reports.json_contract import SCHEMA_VERSION
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.results import (
    Acceptance,
    IgnoreComment,
    PrincipleScore,
    RuleInfo,
    ScanResult,
    ServiceResult,
)

__all__ = ["MAX_WITH_CODE", "embedded"]

MAX_WITH_CODE = 20_000
"""With more findings than these the report holds no code, so that it can still be opened."""

Entry = dict[str, object]


def embedded(result: ScanResult, snippets: bool) -> str:
    """The JSON for the document's `<script id="data">`; without `snippets` it holds no code."""
    number = sum(verdict.is_finding for verdict in result.verdicts)
    links = web_links(result.scanned)
    strings = Strings()
    tables = VerdictTables(result, strings, has_code=snippets and number <= MAX_WITH_CODE)
    document = {
        "note": _note(number, snippets=snippets),
        "about": _about(result),
        "web": None if links is None else [links.files, links.line],
        "families": [family.value for family in FAMILIES],
        "services": [_service(service) for service in result.services],
        "sections": {plain(s.id): plain(s.title) for service in result.services for s in service.sections},
        "principles": _principles(result),
        "rules": [_rule(rule) for rule in result.rules],
        "findings": tables.findings,
        "others": tables.others,
        "evidence": tables.evidence,
        "subjects": tables.subjects,
        "code": tables.code,
        "acceptances": [_acceptance(said) for said in tables.acceptances],
        "owners": [[plain(name) for name in owners] for owners in tables.owners],
        "diagnostics": [_diagnostic(said) for said in result.diagnostics],
        "ignores": [_ignore(comment) for comment in result.ignores],
        "strings": strings.all,
    }
    return msgspec.json.encode(document).decode("utf-8", "replace")


def _note(findings: int, *, snippets: bool) -> str:
    if not snippets:
        return "This report was written without code."
    if findings > MAX_WITH_CODE:
        return f"With more than {MAX_WITH_CODE:,} findings the report holds no code; it names the lines."
    return ""


def _about(result: ScanResult) -> Entry:
    scanned, since, base = result.scanned, result.scanned.since, result.base
    return {
        "tool": plain(result.tool_version),
        "schema": SCHEMA_VERSION,
        "edition": plain(result.edition),
        "configuration": plain(result.configuration),
        "execution": result.execution.value,
        "root": plain(scanned.root),
        "prefix": plain(scanned.prefix),
        "commit": plain(scanned.commit or ""),
        "committed": plain(scanned.committed or ""),
        "web": plain(scanned.web),
        "files": scanned.files,
        "lines": scanned.lines,
        "since": None if since is None else [plain(since.revision), plain(since.base), since.hidden],
        "base": None if base is None else [base.kind.value, plain(base.name), plain(base.commit or "")],
        "exclude": [plain(pattern) for pattern in result.exclude],
        "notices": [plain(notice) for notice in result.notices],
    }


def _service(service: ServiceResult) -> Entry:
    return {
        "name": plain(service.name),
        "root": plain(service.root),
        "frameworks": [plain(name) for name in service.frameworks],
        "grade": plain(service.grade),
        "score": service.score,
        "coverage": service.coverage,
        "read": service.files_read,
        "wanted": service.files_wanted,
    }


def _principles(result: ScanResult) -> list[Entry]:
    """Each with its outcome in every service that has it."""
    rules = {rule.code: rule for rule in result.rules}
    found: dict[str, Entry] = {}
    outcomes: dict[str, list[Entry]] = {}
    for number, service in enumerate(result.services):
        for section in service.sections:
            for principle in section.principles:
                outcomes.setdefault(principle.id, []).append(_outcome(number, principle, rules))
                found.setdefault(
                    principle.id,
                    {
                        "id": plain(principle.id),
                        "title": plain(principle.title),
                        "section": plain(section.id),
                        "in": outcomes[principle.id],
                    },
                )
    return list(found.values())


def _outcome(service: int, principle: PrincipleScore, rules: Mapping[str, RuleInfo]) -> Entry:
    told = principle.attestation
    words = None if told is None else [plain(told.statement), plain(told.by), plain(told.expires), plain(told.link)]
    return {
        "service": service,
        "status": principle.status.value,
        "score": principle.score,
        "arithmetic": arithmetic.of_principle(principle, rules),
        "attestation": words,
    }


def _rule(rule: RuleInfo) -> Entry:
    return {
        "code": plain(rule.code),
        "name": plain(rule.name),
        "title": plain(rule.title),
        "principle": plain(rule.principle),
        "severity": SEVERITIES.index(rule.severity),
        "cwe": rule.cwe,
        "why": plain(rule.why),
        "fix": plain(rule.fix),
        "references": [plain(reference) for reference in rule.references],
        "advisory": rule.advisory,
        "since": plain(rule.since),
        "preview": rule.is_preview,
        "subject": plain(rule.subject),
        "options": [[plain(option.name), plain(option.default), plain(option.value)] for option in rule.options],
    }


def _acceptance(said: Acceptance) -> Entry:
    return {
        "by": said.by.value,
        "reason": plain(said.reason),
        "id": plain(said.id),
        "owner": plain(said.owner),
        "approver": plain(said.approver),
        "ticket": plain(said.ticket),
        "created": plain(said.created),
        "expires": plain(said.expires),
    }


def _diagnostic(said: Diagnostic) -> Entry:
    return {
        "path": plain(said.path),
        "line": said.line,
        "reason": said.reason.value,
        "message": plain(said.message),
        "remedy": REMEDIES[said.reason],
        "unread": said.reason.is_unread_file,
    }


def _ignore(comment: IgnoreComment) -> list[object]:
    place = comment.location
    return [plain(place.path), place.line, [plain(code) for code in comment.codes], plain(comment.reason)]
