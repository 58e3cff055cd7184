"""The first page: the verdict in one sentence, the score, the sections, the gate, and what to do first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from assay.reports import figures, selection
from assay.reports.change_markdown import fixed_fails
from assay.reports.frames import Frames
from assay.reports.gate import compared_with, verdict
from assay.reports.html import addresses, conditions
from assay.reports.html.code import finding_view, place
from assay.reports.html.priorities import tasks
from assay.reports.html.scores import cell
from assay.reports.html.services import is_rated, service_view
from assay.reports.html.views import Change, Count, Fact, FindingView, Heat, Mark, Overview, ServiceView, Status
from assay.reports.plain import plain
from assay.scanner.results import GateStatus, JudgedVerdict, Outcome, ScanResult, ServiceResult, State
from assay.scanner.verdicts import Kind, Severity

__all__ = ["graded", "overview", "tree_name"]

SHOWN_FINDINGS = 10
SHOWN_FIXED = 5


def overview(result: ScanResult) -> Overview:
    """The page; its size hardly grows with the number of verdicts."""
    services = tuple(service_view(index, service, result) for index, service in enumerate(result.services))
    title, findings = _findings(result)
    return Overview(
        name=tree_name(result),
        facts=tuple(_facts(result)),
        status=_status(result),
        incomplete=_incomplete(result),
        notices=tuple(plain(notice) for notice in result.notices),
        counts=tuple(_counts(result)),
        services=services,
        heat=_heat(result.services, services) if len(services) > 1 else None,
        unmet=conditions.unmet(result.gate),
        others=conditions.others(result.gate),
        change=_change(result),
        tasks=tasks(result),
        coming=conditions.coming(result),
        findings_title=title,
        findings=findings,
        all_findings=figures.count(len(result.findings), "finding"),
        severities=tuple(Fact(s.value, str(s.weight)) for s in Severity),
    )


def tree_name(result: ScanResult) -> str:
    """The name of the scanned folder."""
    root = result.scanned.root
    return plain(root.rstrip("/").rpartition("/")[2] or root)


def _facts(result: ScanResult) -> Iterable[Fact]:
    scanned = result.scanned
    yield Fact("Commit", plain(scanned.commit[:12]) if scanned.commit else "not a git checkout")
    if scanned.committed:
        yield Fact("Committed", f"{plain(scanned.committed).replace('T', ' ').removesuffix('Z')} UTC")
    yield Fact("Size", f"{figures.count(scanned.files, 'file')}, {figures.count(scanned.lines, 'line')}")
    yield Fact("Standard", f"edition {plain(result.edition)}")
    if scanned.since:
        yield Fact("Shown", figures.since(scanned.since))


_STATUS_MARKS = {
    GateStatus.PASSED: Mark("pass", "✓", "passed"),
    GateStatus.FAILED: Mark("fail", "✗", "failed"),
    GateStatus.UNTRUSTED: Mark("fail", "✗", "not to be trusted"),
}


def _status(result: ScanResult) -> Status:
    """The gate's word where there is one, else the grade's."""
    gate = result.gate
    if gate is None:
        return Status(Mark("none", "", ""), graded(result.services), _open(result))
    mark = _STATUS_MARKS[gate.status]
    if gate.status is GateStatus.FAILED and not gate.is_enforced:
        mark = Mark("review", "!", "would fail")
    red = sum(c.outcome in (Outcome.NOT_MET, Outcome.NOT_EVALUATED) for c in gate.conditions)
    judged = red + sum(c.outcome is Outcome.MET for c in gate.conditions)
    is_counted = red and gate.status is not GateStatus.UNTRUSTED
    told = f"{red:,} of {figures.count(judged, 'condition')} not met." if is_counted else _sentence(plain(gate.reason))
    return Status(mark, verdict(gate), f"{told} {_sentence(graded(result.services))} {_open(result)}")


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?")) else f"{text}."


def graded(services: tuple[ServiceResult, ...]) -> str:
    """`Grade E, 19.4 of 100`, or from which grade to which where there are several services."""
    if not services:
        return "No service was found"
    if len(services) == 1:
        return _grade(services[0])
    rated = sorted((s for s in services if is_rated(s) and s.score is not None), key=lambda s: s.score or 0.0)
    number = figures.count(len(services), "service")
    if not rated:
        return f"{number}, none of them rated"
    unrated = len(services) - len(rated)
    span = f"from {_short(rated[0])} to {_short(rated[-1])}" if len(rated) > 1 else f"one rated {_short(rated[0])}"
    return f"{number}, {span}" + (f", {unrated} not rated" if unrated else "")


def _grade(service: ServiceResult) -> str:
    if is_rated(service):
        return f"Grade {service.grade}, {figures.score(service.score)} of 100"
    if service.score is None:
        return "Not rated: nothing could be scored"
    return f"Not rated: {figures.percent(service.coverage)} could be judged"


def _short(service: ServiceResult) -> str:
    return f"{service.grade} ({figures.score(service.score)})"


def _open(result: ScanResult) -> str:
    fails = Counter(fail.severity for fail in selection.open_fails(result))
    since = result.scanned.since
    where = "" if since is None else f" in lines changed since {plain(since.revision)}"
    if not fails:
        return f"No fail is open{where}."
    parts = [f"{fails[severity]:,} {severity}" for severity in Severity if fails[severity]]
    number = sum(fails.values())
    told = f"{figures.count(number, 'open fail')}{where}"
    if len(fails) == 1:
        return f"{told}, {'all ' if number > 1 else ''}{next(iter(fails))}."
    return f"{told}: {figures.joined(parts)}."


def _incomplete(result: ScanResult) -> str:
    unread = len({d.path for d in result.diagnostics if d.reason.is_unread_file})
    crashed = sum(d.reason.is_internal_error for d in result.diagnostics)
    parts = []
    if unread:
        parts.append(f"{figures.count(unread, 'file')} could not be read")
    if crashed:
        parts.append(f"{figures.count(crashed, 'step')} crashed")
    if not parts:
        return ""
    return f"Not complete: {figures.joined(parts)}. What was found is real; what is missing is unknown."


def _counts(result: ScanResult) -> Iterable[Count]:
    """Open fails by severity, then what counts in no score."""
    counting = result.counting
    fails = Counter(fail.severity for fail in selection.open_fails(result))
    accepted = sum(f.acceptance is not None for f in result.findings)
    is_open = {"accepted": "open"} if accepted else {}
    for severity in Severity:
        number = fails[severity]
        address = addresses.of_findings(kind="fail", sev=severity.value, **is_open)
        yield Count(severity.value, f"{number:,}", severity.value, address)
    reviews = sum(f.kind is Kind.REVIEW and f.acceptance is None and f.rule in counting for f in result.findings)
    yield Count("review", f"{reviews:,}", "to review", "#/review")
    yield Count("accepted", f"{accepted:,}", "accepted", "#/accepted")


def _heat(services: tuple[ServiceResult, ...], views: tuple[ServiceView, ...]) -> Heat:
    """The sections that any service has figures of, in the standard's order as far as the services tell."""
    titles = {section.id: section.title for view in views for section in view.sections}
    scores = [{section.id: section.score for section in service.sections} for service in services]
    return Heat(
        tuple(Fact(name, title) for name, title in titles.items()),
        tuple(tuple(cell(of_service.get(name)) for name in titles) for of_service in scores),
    )


_STATES = {
    State.NEW: "new",
    State.EDITED: "edited, still wrong",
    State.MOVED: "moved",
    State.KNOWN: "known",
}


def _change(result: ScanResult) -> Change | None:
    if result.base is None:
        return None
    states = Counter(fail.state for fail in selection.open_fails(result))
    fixed = fixed_fails(result)
    return Change(
        compared_with=compared_with(result.base),
        counts=(
            *(
                Count(state.value, f"{states[state]:,}", word, addresses.of_findings(kind="fail", state=state.value))
                for state, word in _STATES.items()
                if states[state] or state is State.NEW
            ),
        ),
        fixed=tuple(_fixed(finding) for finding in fixed[:SHOWN_FIXED]),
        more_fixed=len(fixed[SHOWN_FIXED:]),
    )


def _fixed(finding: JudgedVerdict) -> str:
    return f"{plain(finding.rule)} {plain(finding.subject.label)} ({place(finding.location)})"


def _findings(result: ScanResult) -> tuple[str, tuple[FindingView, ...]]:
    """The worst ones: those that the change has to answer for, else the worst of all; every file has its turn."""
    rules = {rule.code: rule for rule in result.rules}
    answerable = selection.to_mend(result)
    if result.base is not None and answerable:
        title = "What this change has to answer for"
    else:
        title = "The worst findings"
        answerable = selection.in_turns(selection.open_fails(result), result)
    shown = answerable[:SHOWN_FINDINGS]
    frames = Frames(result.sources, result.openings)
    first = {addresses.of_finding(finding): index for index, finding in reversed(list(enumerate(shown)))}
    return title, tuple(
        finding_view(
            finding,
            rules[finding.rule],
            frames,
            has_anchor=first[addresses.of_finding(finding)] == index,
            is_open=index == 0,
        )
        for index, finding in enumerate(shown)
    )
