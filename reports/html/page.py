"""Turns the result of a scan into what the HTML report says: what to show, in which order and in which words."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from markupsafe import Markup, escape

from assay.reports import arithmetic, figures
from assay.reports.accepted import MAX_ROWS, accepted
from assay.reports.arithmetic import Tally
from assay.reports.frames import Frame, Frames, Line
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.reports.views import (
    Bar,
    CheckedRule,
    Choice,
    DiagnosticView,
    ExcerptView,
    Fact,
    Filter,
    FindingView,
    LineView,
    Page,
    PlaceView,
    PrincipleView,
    RuleFindings,
    RuleRow,
    SectionView,
    ServiceView,
    StepView,
    UnscoredView,
    VerdictMark,
)
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import (
    JudgedVerdict,
    PrincipleScore,
    RuleInfo,
    RuleScore,
    ScanResult,
    SectionScore,
    ServiceResult,
    SubjectReference,
)
from assay.scanner.verdicts import Kind, Severity

MAX_FRAMES = 500
"""Findings beyond these, the least grave ones, are shown without their code, so that the file stays near 3 MB."""
SMALL_REPORT = 150
"""Findings up to which every rule's findings are unfolded at first."""
SMALL_GROUP = 10
UNFOLDED_FINDINGS = 4
"""Rules, worst first, whose first finding shows its code without a click."""
SHOWN_PASSES = 5


def page(result: ScanResult) -> Page:
    """The whole report; time and size grow with the number of verdicts alone."""
    rules = {rule.code: rule for rule in result.rules}
    findings = result.findings
    services = tuple(_services(result, rules))
    rows = accepted(findings)
    return Page(
        title=_title(result.services),
        scanned=plain(_base_name(result.scanned.root)),
        edition=plain(result.edition),
        facts=tuple(_facts(result)),
        incomplete=_incomplete(result.diagnostics),
        notices=tuple(plain(notice) for notice in result.notices),
        services=services,
        has_many_services=len(services) > 1,
        findings_summary=_count_findings(findings, rules),
        frames_note=_frames_note(len(findings)),
        filters=tuple(_filters(result, findings, rules)),
        groups=tuple(_groups(result, findings, rules)),
        accepted=rows[:MAX_ROWS],
        more_accepted=len(rows[MAX_ROWS:]),
        checked=tuple(_checked(result)),
        diagnostics=tuple(_diagnostic(d) for d in result.diagnostics),
        severities=tuple(Fact(s.value, str(s.weight)) for s in Severity),
    )


def _title(services: tuple[ServiceResult, ...]) -> str:
    if len(services) == 1:
        return f"{plain(services[0].name)}: {_grade_and_score(services[0])} · Assay"
    rated = sorted((s for s in services if s.score is not None), key=lambda s: s.score or 0.0)
    if not rated:
        return f"{figures.count(len(services), 'service')}, not rated · Assay"
    span = f"from {_grade_and_score(rated[0])} to {_grade_and_score(rated[-1])}"
    return f"{figures.count(len(services), 'service')}, {span} · Assay"


def _grade_and_score(service: ServiceResult) -> str:
    return f"{service.grade} ({figures.score(service.score)})"


def _base_name(root: str) -> str:
    return root.rstrip("/").rpartition("/")[2] or root


def _facts(result: ScanResult) -> Iterable[Fact]:
    scanned = result.scanned
    yield Fact("Tree", plain(scanned.root))
    yield Fact("Commit", plain(scanned.commit[:12]) if scanned.commit else "not a git checkout")
    if scanned.committed:
        yield Fact("Committed", f"{scanned.committed.replace('T', ' ').removesuffix('Z')} UTC")
    yield Fact("Size", f"{figures.count(scanned.files, 'file')}, {figures.count(scanned.lines, 'line')}")
    yield Fact("Standard", f"edition {plain(result.edition)}")
    if scanned.since:
        yield Fact("Shown", figures.since(scanned.since))


def _incomplete(diagnostics: tuple[Diagnostic, ...]) -> str:
    unread = len({d.path for d in diagnostics if d.reason.is_unread_file})
    crashed = sum(d.reason.is_internal_error for d in diagnostics)
    parts = []
    if unread:
        parts.append(f"{figures.count(unread, 'file')} could not be read")
    if crashed:
        parts.append(f"{figures.count(crashed, 'step')} crashed")
    if not parts:
        return ""
    return f"Not complete: {figures.joined(parts)}. What was found is real; what is missing is unknown."


def _services(result: ScanResult, rules: Mapping[str, RuleInfo]) -> Iterable[ServiceView]:
    codes = {(v.service, v.rule) for v in result.verdicts if v.is_finding}
    for index, service in enumerate(result.services):
        principles = [p for section in service.sections for p in section.principles]
        tally = Tally.of(rule for p in principles for rule in p.rules)
        found = {code for name, code in codes if name == service.name}
        is_rated = len(service.grade) == 1
        yield ServiceView(
            anchor=f"service-{index}",
            name=plain(service.name),
            root=plain(service.root),
            frameworks=plain(" · ".join(service.frameworks)) or "no framework recognised",
            grade=plain(service.grade),
            is_rated=is_rated,
            grade_class=f"grade-{service.grade.lower()}" if is_rated else "grade-none",
            score=figures.score(service.score),
            before_waivers=_before_waivers(service.score_before_waivers),
            coverage=figures.percent(service.coverage),
            summary=_service_summary(principles, tally),
            failed=tally.failed,
            review=tally.review,
            arithmetic=arithmetic.of_service(service),
            sections=tuple(_section(s, rules, found) for s in service.sections if Tally.of_section(s) != _NOTHING),
            has_scored_principles=any(p.score is not None for p in principles),
            unscored=tuple(UnscoredView(p.id, plain(p.title), p.status.value) for p in principles if p.score is None),
        )


def _before_waivers(score: float | None) -> str:
    return "" if score is None else f"{figures.score(score)} before waivers"


_NOTHING = Tally(0, 0, 0, 0, 0)


def _service_summary(principles: list[PrincipleScore], tally: Tally) -> str:
    scored = [p for p in principles if p.score is not None]
    if not scored:
        return "No principle could be scored."
    kept = sum(p.score == 100 for p in scored)
    capped = sum(p.cap is not None for p in scored)
    sentence = f"{kept} of {figures.count(len(scored), 'scored principle')} fully kept"
    if capped:
        sentence += f", {capped} capped by a critical or high fail"
    waived = f", {tally.waived} waived" if tally.waived else ""
    return f"{sentence}. {figures.count(tally.failed, 'fail')} and {figures.count(tally.review, 'review')}{waived}."


def _section(section: SectionScore, rules: Mapping[str, RuleInfo], found: set[str]) -> SectionView:
    tally = Tally.of_section(section)
    return SectionView(
        id=section.id,
        title=plain(section.title),
        score=figures.score(section.score),
        bar=_bar(tally.compliance),
        compliance=figures.percent(tally.compliance),
        passed_of_judged=f"{tally.passed:,} of {tally.passed + tally.failed:,}",
        judged=figures.percent(tally.judged),
        failed=tally.failed,
        review=tally.review,
        waived=tally.waived,
        arithmetic=arithmetic.of_section(section),
        principles=tuple(
            PrincipleView(
                id=principle.id,
                title=plain(principle.title),
                score=figures.score(principle.score),
                capped=principle.cap is not None,
                arithmetic=arithmetic.of_principle(principle, rules),
                rules=tuple(_rule_row(rules[score.code], score, found) for score in principle.rules),
            )
            for principle in section.principles
            if principle.score is not None
        ),
    )


def _bar(compliance: float | None) -> Bar | None:
    if compliance is None:
        return None
    return Bar(f"{compliance * 100:.2f}", f"{(1 - compliance) * 100:.2f}")


def _rule_row(rule: RuleInfo, score: RuleScore, found: set[str]) -> RuleRow:
    return RuleRow(
        code=plain(rule.code),
        name=plain(rule.name),
        title=plain(rule.title),
        severity=rule.severity.value,
        weight=str(rule.severity.weight),
        passed=score.passed,
        failed=score.failed,
        review=score.review,
        not_applicable=score.not_applicable,
        waived=score.waived,
        compliance=figures.NOTHING if score.compliance is None else f"{score.compliance:.2f}",
        has_findings=rule.code in found,
    )


def _count_findings(findings: Iterable[JudgedVerdict], rules: Mapping[str, RuleInfo]) -> str:
    """`4 fails, 2 reviews and 1 waived`: what counts in no score is told apart."""
    counted = Counter(
        "waived" if f.waiver is not None else "advisory" if rules[f.rule].advisory else f.kind.value for f in findings
    )
    return figures.joined(
        [figures.count(counted[kind], kind) for kind in ("fail", "review") if counted[kind]]
        + [f"{counted[kind]:,} {kind}" for kind in ("waived", "advisory") if counted[kind]]
    )


def _frames_note(findings: int) -> str:
    if findings <= MAX_FRAMES:
        return ""
    return (
        f"To keep this file small, the code of the {MAX_FRAMES} worst findings is shown; the others name their lines."
    )


def _filters(
    result: ScanResult, findings: tuple[JudgedVerdict, ...], rules: Mapping[str, RuleInfo]
) -> Iterable[Filter]:
    by_rule = Counter(f.rule for f in findings)
    by_section = Counter(_section_of(rules[f.rule]) for f in findings)
    by_severity = Counter(f.severity for f in findings)
    by_kind = Counter(f.kind for f in findings)
    yield Filter("kind", "Verdict", tuple(_choice(k.value, n) for k, n in sorted(by_kind.items())))
    yield Filter(
        "severity",
        "Severity",
        tuple(_choice(s.value, n) for s, n in sorted(by_severity.items(), key=lambda item: item[0].rank)),
    )
    yield Filter("section", "Section", tuple(_choice(s, n) for s, n in sorted(by_section.items())))
    yield Filter("rule", "Rule", tuple(_choice(r, n, rules[r].name) for r, n in sorted(by_rule.items())))
    if len(result.services) > 1:
        by_service = Counter(f.service for f in findings)
        yield Filter("service", "Service", tuple(_choice(s, n) for s, n in sorted(by_service.items())))


def _choice(value: str, number: int, name: str = "") -> Choice:
    return Choice(plain(value), plain(f"{value} {name}".strip()) + f" ({number:,})")


def _section_of(rule: RuleInfo) -> str:
    return plain(rule.principle.rstrip("0123456789")) or "other"


def _groups(
    result: ScanResult, findings: tuple[JudgedVerdict, ...], rules: Mapping[str, RuleInfo]
) -> Iterable[RuleFindings]:
    """Worst first, as the findings come; a rule's place is that of its worst finding."""
    framed = frozenset(id(f) for f in findings[:MAX_FRAMES])
    frames = Frames(result.sources, result.openings)
    grouped: defaultdict[tuple[str, Severity], list[JudgedVerdict]] = defaultdict(list)
    for finding in findings:
        grouped[finding.rule, finding.severity].append(finding)
    anchors = _Anchors()
    for index, ((code, severity), members) in enumerate(grouped.items()):
        rule = rules[code]
        yield RuleFindings(
            anchor=anchors.new(f"rule-{plain(code)}"),
            code=plain(code),
            name=plain(rule.name),
            title=plain(rule.title),
            severity=severity.value,
            section=_section_of(rule),
            principle=plain(rule.principle),
            why=plain(rule.why),
            fix=plain(rule.fix),
            cwe=tuple(f"CWE-{number} (cwe.mitre.org/data/definitions/{number}.html)" for number in rule.cwe),
            references=tuple(plain(reference) for reference in rule.references),
            advisory=rule.advisory,
            counts=_count_findings(members, rules),
            is_open=len(findings) <= SMALL_REPORT or len(members) <= SMALL_GROUP,
            findings=tuple(
                _finding(
                    finding,
                    frames.of(finding) if id(finding) in framed else Frame((), finding.evidence),
                    tuple(_flow(steps, frames if id(finding) in framed else None) for steps in finding.flows),
                    anchors.new(f"f-{plain(finding.fingerprint[:12])}"),
                    is_open=position == 0 and index < UNFOLDED_FINDINGS,
                )
                for position, finding in enumerate(members)
            ),
        )


class _Anchors:
    """Element ids: the same name a second time gets a number."""

    def __init__(self) -> None:
        self._used: Counter[str] = Counter()

    def new(self, name: str) -> str:
        self._used[name] += 1
        return name if self._used[name] == 1 else f"{name}-{self._used[name]}"


def _finding(
    finding: JudgedVerdict, frame: Frame, flows: tuple[tuple[StepView, ...], ...], anchor: str, *, is_open: bool
) -> FindingView:
    steps = {step for flow in finding.flows for step in flow}
    return FindingView(
        anchor=anchor,
        mark=_mark(finding.kind),
        message=plain(finding.message),
        subject=_subject(finding.subject),
        place=_place(finding.location),
        service=plain(finding.service),
        fingerprint=plain(finding.fingerprint),
        waiver=plain(finding.waiver) if finding.waiver is not None else None,
        lapsed=plain(str(finding.lapsed)) if finding.lapsed is not None else None,
        excerpts=tuple(
            ExcerptView(plain(e.path), e.path != finding.location.path, tuple(_line(line) for line in e.lines))
            for e in frame.excerpts
        ),
        elsewhere=tuple(_evidence(e, finding.location.path) for e in frame.elsewhere if e not in steps),
        flows=flows,
        is_open=is_open,
    )


def _flow(steps: tuple[Evidence, ...], frames: Frames | None) -> tuple[StepView, ...]:
    """Its steps, with their code where there are frames to take it from."""
    lines = (frames.line(step.location) if frames else None for step in steps)
    return tuple(
        StepView(_place(step.location), plain(step.text), None if line is None else _code(line))
        for step, line in zip(steps, lines, strict=True)
    )


def _subject(subject: SubjectReference) -> str:
    """Its label, with its kind unless the label says that already."""
    return plain(subject.label if subject.label.startswith(subject.kind) else f"{subject.kind} {subject.label}")


def _mark(kind: Kind) -> VerdictMark:
    return VerdictMark(kind.value, figures.SYMBOLS[kind], figures.WORDS[kind])


def _line(line: Line) -> LineView:
    return LineView(
        line.number,
        _code(line),
        line.notes,
        is_cited=line.is_cited,
        follows_gap=line.follows_gap,
    )


def _code(line: Line) -> Markup:
    html = Markup()
    for stretch in line.stretches:
        text = escape(stretch.text)
        if stretch.token:
            text = Markup('<i class="{}">{}</i>').format(stretch.token.value, text)
        html += Markup("<mark>{}</mark>").format(text) if stretch.marked else text
    return html.replace(Markup("</mark><mark>"), Markup(""))


def _place(location: Location) -> str:
    return plain(str(location))


def _evidence(evidence: Evidence, path: str) -> PlaceView:
    """The file goes without saying where it is the finding's own."""
    own = evidence.location.path == path
    line = evidence.location.line
    return PlaceView(f"line {line}" if own else f"{plain(evidence.location.path)}:{line}", plain(evidence.text))


def _checked(result: ScanResult) -> Iterable[CheckedRule]:
    """Every rule that looked at something, with a few of its passes as proof."""
    counts: defaultdict[str, Counter[str]] = defaultdict(Counter)
    passes: defaultdict[str, list[JudgedVerdict]] = defaultdict(list)
    for verdict in result.verdicts:
        waived = verdict.waiver is not None and verdict.is_finding
        counts[verdict.rule]["waived" if waived else verdict.kind.value] += 1
        if verdict.kind is Kind.PASS and len(passes[verdict.rule]) < SHOWN_PASSES:
            passes[verdict.rule].append(verdict)
    for rule in result.rules:
        counted = counts[rule.code]
        score = RuleScore(
            rule.code,
            passed=counted["pass"],
            failed=counted["fail"],
            review=counted["review"],
            not_applicable=counted["notApplicable"],
            waived=counted["waived"],
        )
        others = score.passed - len(passes[rule.code])
        found = {rule.code} if score.failed or score.review or score.waived else set()
        yield CheckedRule(
            row=_rule_row(rule, score, found),
            examples=tuple(
                PlaceView(_place(v.location), plain(f"{v.subject.label}: {v.message}")) for v in passes[rule.code]
            ),
            more=f"and {figures.count(others, 'more pass', 'more passes')}" if others > 0 else "",
        )


def _diagnostic(diagnostic: Diagnostic) -> DiagnosticView:
    line = "" if diagnostic.line is None else f":{diagnostic.line}"
    return DiagnosticView(
        reason=diagnostic.reason.value.replace("-", " "),
        place=plain(diagnostic.path) + line,
        message=plain(diagnostic.message),
        remedy=REMEDIES[diagnostic.reason],
        is_internal_error=diagnostic.reason.is_internal_error,
    )
