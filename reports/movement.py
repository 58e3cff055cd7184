"""Why scores moved, on a terminal: what is not comparable first, then each service's change by cause."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from rich.console import Console

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.causes import Cause, RuleChange, RuleTurn
from assay.scanner.movement import Movement, PrincipleChange, ServiceMovement, Turn, usual_cause
from assay.scanner.results import Execution, JudgedVerdict, ScanResult
from assay.scanner.verdicts import Kind

SHOWN = 5
"""Findings of each sort, and principles that moved most."""
SHOWN_CODES = 5

_ORDER = (Cause.CODE, Cause.STANDARD, Cause.CONFIGURATION, Cause.WAIVERS, Cause.ANALYSIS)
_SIGNS = {
    Turn.NEW: ("✗ new      ", "bold red"),
    Turn.REOPENED: ("✗ reopened ", "red"),
    Turn.FIXED: ("✓ fixed    ", "green"),
}
_COUNTING = {
    RuleTurn.COUNTS: ("now counts", "now count"),
    RuleTurn.COUNTS_NO_MORE: ("no longer counts", "no longer count"),
}
_MINUS = "\N{MINUS SIGN}"


def render(movement: Movement, console: Console) -> None:
    """Write it; what differs besides the code comes first."""
    screen = Screen(console)
    for warning in _warnings(movement):
        screen.line(("! ", "yellow"), warning)
    moved = [service for service in movement.services if service.has_moved]
    for service in moved:
        _service(service, movement, screen)
    still = len(movement.services) - len(moved)
    if still:
        screen.line(f"{figures.count(still, 'service')} with the same scores" if moved else "The scores are the same.")
    elif not movement.services:
        screen.line("Neither result has a service.")
    screen.line()
    for turn, sign in _SIGNS.items():
        _listed(turn, sign, movement, screen)
    screen.line(_counts(movement), style="bold")


def _warnings(movement: Movement) -> Iterator[str]:
    old, new = movement.old, movement.new
    if old.edition != new.edition:
        yield f"edition {plain(old.edition)} → {plain(new.edition)}: the two are judged by different standards"
    if old.tool_version != new.tool_version:
        yield f"Assay {plain(old.tool_version)} → {plain(new.tool_version)}: the two are analysed by different versions"
    for word, result in (("earlier", old), ("later", new)):
        if result.execution is not Execution.COMPLETE:
            yield f"the {word} result is not complete: {_missing(result)}; nothing is known of what is missing there"


def _missing(result: ScanResult) -> str:
    unread = len({d.path for d in result.diagnostics if d.reason.is_unread_file})
    errors = sum(d.reason.is_internal_error for d in result.diagnostics)
    parts = [figures.count(unread, "file") + " not read"] * bool(unread)
    return figures.joined(parts + [figures.count(errors, "error") + " in Assay"] * bool(errors))


def _service(service: ServiceMovement, movement: Movement, screen: Screen) -> None:
    before, after = figures.score(service.before), figures.score(service.after)
    shown = tenths(service)
    total = f"   {_signed(sum(shown.values()))}" if shown else ""
    screen.line((plain(service.service), "bold"), f"  {before} → {after}", (total, "bold"))
    if not shown:
        screen.line(_why_no_parts(service, movement), indent=3)
    for cause in _ORDER:
        if shown:
            points = _signed(shown[cause])
            style = "red" if shown[cause] < 0 else "green" if shown[cause] else "dim"
            screen.line(
                f"{cause.value:<14}", (f"{points:>6}", style), f"   {_what(cause, service, movement)}", indent=3
            )
    for change in sorted(service.principles, key=_size, reverse=True)[:SHOWN]:
        scores = f"{figures.score(change.before)} → {figures.score(change.after)}"
        screen.line((f"{plain(change.id):<6} {scores}  {plain(change.title)}", "dim"), indent=3)
    if len(service.principles) > SHOWN:
        screen.line((f"… {len(service.principles) - SHOWN} more principles", "dim"), indent=3)


def _size(change: PrincipleChange) -> float:
    """How far it moved; a score that came or went is the largest change."""
    return 100.0 if change.before is None or change.after is None else abs(change.after - change.before)


def _why_no_parts(service: ServiceMovement, movement: Movement) -> str:
    if all(s.name != service.service for s in movement.old.services):
        return "it is a new service"
    if all(s.name != service.service for s in movement.new.services):
        return "the service is gone"
    return "it has no score in one of the two, so there is nothing to split"


def tenths(service: ServiceMovement) -> dict[Cause, int]:
    """The parts in tenths of a point that add up to the difference of the two scores as they are shown.

    What rounding leaves over goes to the parts that lost most by it (the method of largest remainders).
    """
    if service.before is None or service.after is None:
        return {}
    exact = {cause: points * 10 for cause, points in service.parts.items()}
    rounded = {cause: round(points) for cause, points in exact.items()}
    total = round(float(figures.score(service.after)) * 10) - round(float(figures.score(service.before)) * 10)
    over = total - sum(rounded.values())
    step = 1 if over > 0 else -1
    # A part that is nothing stays nothing.
    most = sorted((c for c in exact if exact[c]), key=lambda c: (exact[c] - rounded[c]) * step, reverse=True)
    for cause in most[: abs(over)]:
        rounded[cause] += step
    return rounded


def _signed(points: int) -> str:
    sign = "+" if points > 0 else _MINUS if points else ""
    return f"{sign}{abs(points) / 10:.1f}"


def _what(cause: Cause, service: ServiceMovement, movement: Movement) -> str:
    parts = [*_rule_changes(cause, movement, service.service)]
    told = {change.code for change in movement.rules}
    if cause is Cause.WAIVERS:
        parts += _attestations(movement, service.service)
    if cause is Cause.ANALYSIS:
        parts += [figures.count(len(movement.now_read), "file") + " now read"] * bool(movement.now_read)
        parts += [figures.count(len(movement.now_unread), "file") + " no longer read"] * bool(movement.now_unread)
    turns = []
    for turn, word in _turns(cause):
        found = [f for f in movement.counting(turn, cause) if f.service == service.service and f.rule not in told]
        if found:
            turns.append(f"{len(found):,} {word} ({_named(sorted({f.rule for f in found}))})")
    return "; ".join([*parts, *([", ".join(turns)] if turns else [])])


def _attestations(movement: Movement, service: str) -> Iterator[str]:
    before, after = (_attested(result, service) for result in (movement.old, movement.new))
    for codes, word in ((after - before, "attested"), (before - after, "no longer attested")):
        if codes:
            yield f"{_named(sorted(codes))} {word}"


def _attested(result: ScanResult, name: str) -> set[str]:
    services = (service for service in result.services if service.name == name)
    return {p.id for service in services for section in service.sections for p in section.principles if p.attestation}


def _turns(cause: Cause) -> Sequence[tuple[Turn, str]]:
    if cause is Cause.CODE:
        return ((Turn.NEW, "new"), (Turn.FIXED, "fixed"))
    if cause is Cause.WAIVERS:
        return ((Turn.ACCEPTED, "accepted"), (Turn.REOPENED, "reopened"))
    return ((Turn.NEW, "appeared"), (Turn.FIXED, "disappeared"))


def _rule_changes(cause: Cause, movement: Movement, service: str) -> Iterator[str]:
    """`OPS304 and MQ107 now count (12 fails)`."""
    changes = [change for change in movement.rules if change.cause is cause]
    for turn, (one, many) in _COUNTING.items():
        codes = [change.code for change in changes if change.turn is turn]
        if codes:
            result = movement.new if turn is RuleTurn.COUNTS else movement.old
            number = sum(f.rule in codes and f.service == service for f in _open_fails(result))
            yield f"{_named(codes)} {many if len(codes) > 1 else one} ({figures.count(number, 'fail')})"
    for change in changes:
        if change.turn is RuleTurn.SEVERITY:
            yield _severity(change)


def _severity(change: RuleChange) -> str:
    before, after = (rule.severity.value if rule else figures.NOTHING for rule in (change.old, change.new))
    return f"{plain(change.code)} {before} → {after}" if before != after else f"{plain(change.code)} weighs otherwise"


def _open_fails(result: ScanResult) -> Iterable[JudgedVerdict]:
    return (f for f in result.findings if f.kind is Kind.FAIL and f.acceptance is None)


def _named(codes: Sequence[str]) -> str:
    shown = [plain(code) for code in codes[:SHOWN_CODES]]
    more = len(codes) - len(shown)
    return f"{', '.join(shown)} and {more} more rules" if more else figures.joined(shown)


def _listed(turn: Turn, sign: tuple[str, str], movement: Movement, screen: Screen) -> None:
    found = list(movement.counting(turn, usual_cause(turn)))
    for finding in found[:SHOWN]:
        place = f"{plain(finding.location.path)}:{finding.location.line}"
        lapsed = f"  ({plain(str(finding.lapsed))} has expired)" if finding.lapsed and turn is Turn.REOPENED else ""
        screen.line(
            sign, (place, "bold"), f"  {plain(finding.rule)} {finding.severity}  {plain(finding.message)}{lapsed}"
        )
    if len(found) > SHOWN:
        screen.line(f"… {len(found) - SHOWN:,} more {turn.value}", indent=2)


def _counts(movement: Movement) -> str:
    """`1 new, 2 fixed, 3 edited`: what code and waivers did to fails; then all the rest."""
    told = {turn: movement.count(turn, usual_cause(turn)) for turn in Turn}
    words = [f"{number:,} {turn.value}" for turn, number in told.items() if number]
    rest = len(movement.findings) - sum(told.values())
    others = f"{figures.count(rest, 'other change')} of findings, all of them in `--format json`" if rest else ""
    return "; ".join(part for part in (", ".join(words), others) if part) or "No finding is another."
