"""The summary on a terminal: the worst findings with their code, the scores, and what could not be read."""

from __future__ import annotations

import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping

from rich.console import Console
from rich.text import Text

from assay.reports import figures
from assay.reports.arithmetic import Tally
from assay.reports.frames import Frames, Line
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.screen import Screen
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Evidence
from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult, ServiceResult
from assay.scanner.verdicts import Kind, Severity

WORST = 5
BAR_WIDTH = 20
GUTTER = 6
SHOWN_FINGERPRINT = 12
SHOWN_DIAGNOSTICS = 20
SHOWN_COMMENTS = 10
META = "META"
"""The principle of the rules on ignore comments."""

_SEVERITY_STYLES = {
    Severity.CRITICAL: "bold red",
    Severity.HIGH: "red",
    Severity.MEDIUM: "yellow",
    Severity.LOW: "dim",
}
_KIND_STYLES = {Kind.FAIL: "bold red", Kind.REVIEW: "bold yellow"}


def render(result: ScanResult, console: Console, worst: int = WORST) -> None:
    """Write the summary; it fits any width from 60 columns, and colour is the console's affair.

    `worst` is how many fails are shown with their code.
    """
    rules = {rule.code: rule for rule in result.rules}
    screen = Screen(console)
    screen.line(_headline(result), style="bold")
    if result.scanned.since:
        screen.line(figures.since(result.scanned.since))
    screen.line()
    _findings(result, rules, screen, worst)
    _comments(result.findings, rules, screen)
    for service in result.services:
        _service(service, screen)
    _diagnostics(result.diagnostics, screen)
    _notices(result.notices, screen)
    screen.line(_way_on(result.findings), style="dim")


def _headline(result: ScanResult) -> str:
    scanned = result.scanned
    size = f"{figures.count(scanned.files, 'file')}, {figures.count(scanned.lines, 'line')}"
    took = f", {scanned.seconds:.1f} s" if scanned.seconds else ""
    return f"{plain(scanned.root)}   edition {plain(result.edition)}   {size}{took}"


def _findings(result: ScanResult, rules: Mapping[str, RuleInfo], screen: Screen, worst: int) -> None:
    counting = [f for f in result.findings if f.waiver is None and not rules[f.rule].advisory]
    fails = [f for f in counting if f.kind is Kind.FAIL]
    frames = Frames(result.sources, result.openings, are_coloured=screen.has_colours)
    for finding in fails[:worst]:
        _finding(finding, rules[finding.rule], frames, screen)
    rest = _rest(fails[worst:], result.findings, rules)
    if rest:
        screen.line(f"… {rest}" if fails else f"No fails; {rest}", indent=2)
        screen.line()
    elif not fails:
        screen.line(("✓ ", "green"), "No findings in changed lines." if result.scanned.since else "No findings.")
        screen.line()


def _finding(finding: JudgedVerdict, rule: RuleInfo, frames: Frames, screen: Screen) -> None:
    screen.line(
        (plain(str(finding.location)), "bold"),
        f"  {plain(finding.rule)}  ",
        (f"{figures.SYMBOLS[finding.kind]} {figures.WORDS[finding.kind]}", _KIND_STYLES[finding.kind]),
        "  ",
        (finding.severity.value, _SEVERITY_STYLES[finding.severity]),
        f"  {plain(rule.name)}",
    )
    screen.line(plain(finding.message), indent=4)
    frame = frames.of(finding, max(20, screen.width - GUTTER - 3))
    for excerpt in frame.excerpts:
        if excerpt.path != finding.location.path:
            screen.line((plain(excerpt.path), "dim"), indent=4)
        for line in excerpt.lines:
            _code_line(line, screen)
    steps = finding.flows[0] if finding.flows else ()
    for evidence in frame.elsewhere:
        if evidence not in steps:
            screen.line((f"{_place(evidence)}  ", "dim"), plain(evidence.text), indent=4)
    for number, step in enumerate(steps, start=1):
        screen.line((f"{number}. {_place(step)}  ", "dim"), plain(step.text), indent=4)
    if len(finding.flows) > 1:
        screen.line((f"… {figures.count(len(finding.flows) - 1, 'more flow')} in the report", "dim"), indent=4)
    if finding.lapsed is not None:
        screen.line(("waiver expired  ", "red"), plain(str(finding.lapsed)), indent=4)
    screen.line(("fix  ", "green"), plain(rule.fix), indent=4)
    screen.line((plain(finding.fingerprint[:SHOWN_FINGERPRINT]), "dim"), indent=4)
    screen.line()


def _code_line(line: Line, screen: Screen) -> None:
    if line.follows_gap:
        screen.code((f"{'⋮':>{GUTTER - 1}}", "dim"))
    screen.code((f"{line.number:>{GUTTER - 1}} │ ", "bold" if line.is_cited else "dim"), line.text)
    blank = (" " * GUTTER + "│ ", "dim")
    underline = _underline(line)
    notes = list(line.notes)
    if underline:
        short = notes and len(underline) + len(notes[0]) + GUTTER + 3 <= screen.width
        beside = f" {notes.pop(0)}" if short else ""
        screen.code(blank, (underline + beside, "yellow"))
    for note in notes:
        for row in textwrap.wrap(note, max(20, screen.width - GUTTER - 2)):
            screen.code(blank, (row, "yellow"))


def _underline(line: Line) -> str:
    """Signs below the marked columns; a wide character takes two cells (Unicode UAX #11)."""
    cells = Text(line.text)
    row = ""
    for start, end in line.marks:
        row = row.ljust(cells[:start].cell_len) + "─" * cells[start:end].cell_len
    return row


def _place(evidence: Evidence) -> str:
    return f"{plain(evidence.location.path)}:{evidence.location.line}"


def _rest(more_fails: list[JudgedVerdict], findings: Iterable[JudgedVerdict], rules: Mapping[str, RuleInfo]) -> str:
    """`11 more high, 28 medium; 15 to review; 2 waived; 3 advisory`."""
    by_severity = Counter(f.severity for f in more_fails)
    fails = [f"{by_severity[severity]:,} more {severity.value}" for severity in Severity if by_severity[severity]]
    waived = sum(f.waiver is not None for f in findings)
    advisory = sum(rules[f.rule].advisory for f in findings if f.waiver is None)
    review = sum(f.kind is Kind.REVIEW and not rules[f.rule].advisory for f in findings if f.waiver is None)
    others = [f"{n:,} {word}" for n, word in ((review, "to review"), (waived, "waived"), (advisory, "advisory")) if n]
    return "; ".join([", ".join(fails)] * bool(fails) + others)


def _comments(findings: Iterable[JudgedVerdict], rules: Mapping[str, RuleInfo], screen: Screen) -> None:
    """What is wrong with the comments that ignore findings: advice that nobody should overlook."""
    wrong = [f for f in findings if rules[f.rule].principle == META]
    for finding in wrong[:SHOWN_COMMENTS]:
        screen.line(
            (plain(str(finding.location)), "bold"),
            f"  {plain(finding.rule)}  {plain(rules[finding.rule].name)}: {plain(finding.message)}",
        )
    if len(wrong) > SHOWN_COMMENTS:
        screen.line(f"… {len(wrong) - SHOWN_COMMENTS:,} more ignore comments in the report", indent=2)
    if wrong:
        screen.line()


def _service(service: ServiceResult, screen: Screen) -> None:
    screen.line((plain(service.name), "bold"), f"   {plain(' · '.join(service.frameworks))}")
    sections = [(s, Tally.of_section(s)) for s in service.sections]
    judged = [(s, tally) for s, tally in sections if tally.compliance is not None or tally.review or tally.waived]
    if judged:
        screen.line()
        screen.table(
            [("Section", False), ("compliance", False), ("", True)]
            + [(heading, True) for heading in ("judged", "fail", "review", "waived", "score")],
            [
                (
                    f"{s.id} {plain(s.title)}",
                    _bar(tally.compliance, screen.width),
                    figures.percent(tally.compliance),
                    figures.percent(tally.judged),
                    _figure(tally.failed, "red"),
                    _figure(tally.review, "yellow"),
                    str(tally.waived),
                    figures.score(s.score),
                )
                for s, tally in judged
            ],
        )
    scored = [p for s in service.sections for p in s.principles if p.score is not None]
    if scored:
        screen.line()
        screen.table(
            [("Principle", False), ("passed", True), ("fail", True), ("review", True), ("cap", True), ("score", True)],
            [
                (
                    f"{p.id} {plain(p.title)}",
                    f"{tally.passed:,} of {tally.passed + tally.failed:,}",
                    _figure(tally.failed, "red"),
                    _figure(tally.review, "yellow"),
                    figures.NOTHING if p.cap is None else str(p.cap),
                    figures.score(p.score),
                )
                for p, tally in ((p, Tally.of(p.rules)) for p in scored)
            ],
        )
    unscored = sum(p.score is None for s in service.sections for p in s.principles)
    without = f"   {figures.count(unscored, 'principle')} without a score" if unscored else ""
    screen.line()
    screen.line(*_total(service), _before_waivers(service), f"   coverage {figures.percent(service.coverage)}{without}")
    screen.line()


def _total(service: ServiceResult) -> Iterator[tuple[str, str]]:
    if service.score is None:
        yield f"Total {plain(service.grade)}", "bold"
    elif len(service.grade) == 1:
        yield f"Total {figures.score(service.score)} of 100, grade {service.grade}", "bold"
    else:
        yield f"Total {figures.score(service.score)} of 100, {plain(service.grade)}", "bold"


def _before_waivers(service: ServiceResult) -> str:
    before = service.score_before_waivers
    return "" if before is None else f" ({figures.score(before)} before waivers)"


def _bar(share: float | None, width: int) -> tuple[str, str]:
    length = BAR_WIDTH if width >= 90 else BAR_WIDTH // 2
    if share is None:
        return figures.NOTHING, "dim"
    # A bar is full only when nothing fails.
    full = int(share * length)
    return "█" * full + "░" * (length - full), "green" if share == 1 else "cyan"


def _figure(number: int, style: str) -> tuple[str, str]:
    return f"{number:,}", style if number else "dim"


def _diagnostics(diagnostics: tuple[Diagnostic, ...], screen: Screen) -> None:
    """What is missing from the result comes last and in full; the rest is counted."""
    grave = [d for d in diagnostics if d.reason.is_grave]
    if grave:
        unread = len({d.path for d in grave if d.reason.is_unread_file})
        crashed = sum(d.reason.is_internal_error for d in grave)
        parts = [f"{figures.count(unread, 'file')} could not be read"] * bool(unread)
        parts += [f"{figures.count(crashed, 'step')} crashed"] * bool(crashed)
        screen.line(("✗ ", "bold red"), (f"Not complete: {figures.joined(parts)}", "bold"))
    for diagnostic in grave[:SHOWN_DIAGNOSTICS]:
        line = "" if diagnostic.line is None else f":{diagnostic.line}"
        reason = diagnostic.reason.value.replace("-", " ")
        screen.line((f"{plain(diagnostic.path)}{line}", "bold"), f"  {reason}: {plain(diagnostic.message)}", indent=4)
        screen.line((REMEDIES[diagnostic.reason], "dim"), indent=8)
    if len(grave) > SHOWN_DIAGNOSTICS:
        screen.line(f"… {len(grave) - SHOWN_DIAGNOSTICS:,} more in the report", indent=4)
    if grave:
        screen.line("What was found is shown above and is real; what is missing is unknown.", indent=2)
    lesser = Counter(d.reason for d in diagnostics if d not in set(grave))
    if lesser:
        counted = ", ".join(f"{number:,} {reason.value.replace('-', ' ')}" for reason, number in sorted(lesser.items()))
        screen.line(("! ", "yellow"), f"Also noted, and in the report: {counted}")
    if diagnostics:
        screen.line()


def _notices(notices: tuple[str, ...], screen: Screen) -> None:
    for notice in notices:
        screen.line(("! ", "yellow"), plain(notice))
    if notices:
        screen.line()


def _way_on(findings: tuple[JudgedVerdict, ...]) -> str:
    code = plain(findings[0].rule) if findings else "CODE"
    return f"All of it: assay scan --report html=report.html   A rule: assay explain {code}"
