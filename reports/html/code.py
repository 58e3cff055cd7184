"""A finding in full: its message, its help, and its code with the evidence marked."""

from __future__ import annotations

from markupsafe import Markup, escape

from assay.reports import figures
from assay.reports.frames import Frames, Line
from assay.reports.html.addresses import of_finding
from assay.reports.html.nouns import noun
from assay.reports.html.views import ExcerptView, FindingView, LineView, Mark, PlaceView, StepView
from assay.reports.plain import plain
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict, RuleInfo, SubjectReference
from assay.scanner.verdicts import Kind

__all__ = ["finding_view", "mark", "place", "subject"]


def finding_view(
    finding: JudgedVerdict, rule: RuleInfo, frames: Frames, *, has_anchor: bool = True, is_open: bool = False
) -> FindingView:
    """The finding with its lines of code as far as the frames have them.

    It has no anchor where another one on the same page is known by the same name.
    """
    frame = frames.of(finding)
    steps = {step for flow in finding.flows for step in flow}
    return FindingView(
        address=of_finding(finding),
        anchor=of_finding(finding).removeprefix("#") if has_anchor else "",
        mark=mark(finding.kind),
        severity=finding.severity.value,
        code=plain(finding.rule),
        rule=plain(rule.title),
        state="" if finding.state is None else finding.state.value,
        message=plain(finding.message),
        subject=subject(finding.subject),
        place=place(finding.location),
        service=plain(finding.service),
        fingerprint=plain(finding.fingerprint),
        why=plain(rule.why),
        fix=plain(rule.fix),
        lapsed="" if finding.lapsed is None else plain(str(finding.lapsed)),
        excerpts=tuple(
            ExcerptView(plain(e.path), e.path != finding.location.path, tuple(_line(line) for line in e.lines))
            for e in frame.excerpts
        ),
        elsewhere=tuple(_evidence(e, finding.location.path) for e in frame.elsewhere if e not in steps),
        flows=tuple(_flow(flow, frames) for flow in finding.flows),
        is_open=is_open,
    )


def mark(kind: Kind) -> Mark:
    """A verdict's kind as a symbol with its word."""
    return Mark(kind.value, figures.SYMBOLS[kind], figures.WORDS[kind])


def place(location: Location) -> str:
    """`orders/api.py:6:1`."""
    return plain(str(location))


def subject(reference: SubjectReference) -> str:
    """Its label, with what it is unless the label says that already."""
    label, kind = plain(reference.label), noun(reference.kind)
    return label if set(kind.lower().split()) & set(label.lower().split()) else f"{kind} {label}"


def _flow(steps: tuple[Evidence, ...], frames: Frames) -> tuple[StepView, ...]:
    lines = (frames.line(step.location) for step in steps)
    return tuple(
        StepView(place(step.location), plain(step.text), None if line is None else _code(line))
        for step, line in zip(steps, lines, strict=True)
    )


def _line(line: Line) -> LineView:
    return LineView(line.number, _code(line), line.notes, is_cited=line.is_cited, follows_gap=line.follows_gap)


def _code(line: Line) -> Markup:
    html = Markup()
    for stretch in line.stretches:
        text = escape(stretch.text)
        if stretch.token:
            text = Markup('<i class="{}">{}</i>').format(stretch.token.value, text)
        html += Markup("<mark>{}</mark>").format(text) if stretch.marked else text
    return html.replace(Markup("</mark><mark>"), Markup(""))


def _evidence(evidence: Evidence, path: str) -> PlaceView:
    """The file goes without saying where it is the finding's own."""
    own = evidence.location.path == path
    line = evidence.location.line
    return PlaceView(f"line {line}" if own else f"{plain(evidence.location.path)}:{line}", plain(evidence.text))
