"""The summary of a job in a CI platform, for `$GITHUB_STEP_SUMMARY` and its like (Markdown)."""

from __future__ import annotations

from collections.abc import Iterator

from assay.reports import change_markdown as parts
from assay.reports import figures
from assay.reports.arithmetic import Tally
from assay.reports.blocks import Block, joined
from assay.reports.markdown import quiet
from assay.scanner.results import JudgedVerdict, ScanResult, ServiceResult

LIMIT = 100_000
"""Bytes. GitHub takes 1 MiB of a step, and nothing of it when it is more; nobody reads as much."""
_NAME, _TEXT = 120, 300
_SHOWN_SERVICES = 20


def render(result: ScanResult) -> str:
    """All that the comment says, and besides it the sections' scores, who accepted what, and what is to review."""
    blocks = [
        # It also tells a later scan that this file is no document of the scanned tree.
        Block("<!-- assay:summary -->"),
        parts.headline(result),
        parts.scores(result),
        *parts.unread(result),
        *parts.to_mend(result),
        *parts.fixed(result),
        *parts.coming(result),
        *parts.notices(result),
        *parts.conditions(result),
        *_services(result),
        *_accepted(result),
        *parts.to_review(result),
        parts.footer(result),
    ]
    return joined(blocks, LIMIT, _bytes)


def _services(result: ScanResult) -> Iterator[Block]:
    for service in result.services[:_SHOWN_SERVICES]:
        yield _sections(service)
    missing = len(result.services) - _SHOWN_SERVICES
    if missing > 0:
        yield Block(f"… and the sections of {figures.count(missing, 'more service')} in the report")


def _sections(service: ServiceResult) -> Block:
    rows = []
    for section in service.sections:
        tally = Tally.of_section(section)
        if tally.compliance is None and not tally.review and not tally.waived:
            continue
        name = f"{section.id} {quiet(section.title, _NAME)} | {figures.score(section.score)}"
        judged = f"{figures.percent(tally.compliance)} | {figures.percent(tally.judged)}"
        rows.append(f"| {name} | {judged} | {tally.failed:,} | {tally.review:,} | {tally.waived:,} |")
    head = (
        f"**{quiet(service.name, _NAME)}** {figures.score(service.score)} {quiet(service.grade, _NAME)}, "
        f"{figures.percent(service.coverage)} judged"
    )
    if not rows:
        return Block(head)
    columns = "| section | score | compliance | judged | fail | review | waived |\n|---|--:|--:|--:|--:|--:|--:|"
    return Block(f"{head}\n\n{columns}", tuple(rows), more="| … and {} more | | | | | | |")


def _accepted(result: ScanResult) -> Iterator[Block]:
    found = [f for f in result.findings if f.acceptance]
    if found:
        head = (
            f"<details><summary>Accepted ({len(found):,})</summary>\n\n"
            "| finding | by | owner | until | reason |\n|---|---|---|---|---|"
        )
        rows = tuple(_accepted_row(finding) for finding in sorted(found, key=_by_owner))
        yield Block(head, rows, "\n</details>", "| … and {} more | | | | |")


def _by_owner(finding: JudgedVerdict) -> tuple[str, str, str]:
    assert finding.acceptance is not None
    return finding.acceptance.owner, finding.acceptance.expires or "9999", finding.fingerprint


def _accepted_row(finding: JudgedVerdict) -> str:
    acceptance = finding.acceptance
    assert acceptance is not None
    by = f"{acceptance.by} {acceptance.id}".strip()
    told = (f"{finding.rule} {finding.subject.label}", by, acceptance.owner, acceptance.expires, acceptance.reason)
    return "| " + " | ".join(quiet(text, _TEXT) for text in told) + " |"


def _bytes(text: str) -> int:
    return len(text.encode("utf-8", "surrogatepass"))
