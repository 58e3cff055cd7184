"""What a platform shows beside the code of a change: at most ten marks, of which the last counts what has no place.

GitHub shows ten errors of a step and drops the rest without a word, so they are chosen here.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum

from assay.reports import selection
from assay.reports.plain import plain
from assay.reports.remedies import REMEDIES
from assay.scanner.diagnostics import Diagnostic
from assay.scanner.model.place import Location
from assay.scanner.results import GateStatus, JudgedVerdict, RuleInfo, ScanResult
from assay.scanner.verdicts import Severity

MOST = 10
"""Errors that GitHub shows of one step (and warnings, and notices)."""
MOST_DIAGNOSTICS = 3
SHOWN_FINGERPRINT = 12


class Level(StrEnum):
    """How much a mark should catch the eye."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, slots=True)
class Annotation:
    """A mark on lines of a file, or on the whole change where there is no location.

    `code` is the rule's, or what else a machine may sort by. All texts are plain: none breaks a line.
    """

    level: Level
    code: str
    title: str
    lines: tuple[str, ...]
    location: Location | None = None


_LEVELS = {
    Severity.CRITICAL: Level.ERROR,
    Severity.HIGH: Level.ERROR,
    Severity.MEDIUM: Level.WARNING,
    Severity.LOW: Level.NOTICE,
}


def annotated(result: ScanResult) -> tuple[Annotation, ...]:
    """Files that weren't read (three of them at most), the findings to mend, and why the gate isn't passed. Paths are
    as the repository has them, whatever folder was scanned.
    """
    rules = {rule.code: rule for rule in result.rules}
    unread = selection.grave(result.diagnostics)
    fails = selection.to_mend(result)
    verdict = _verdict(result)
    marks = [_of_diagnostic(d, result) for d in unread[:MOST_DIAGNOSTICS]]
    room = MOST - len(marks)
    if len(unread) > MOST_DIAGNOSTICS or len(fails) > room:
        shown = fails[: room - 1]
        more = f"{len(unread) - len(marks) + len(fails) - len(shown):,} more: see the job's summary or the report"
        level = _LEVELS[fails[len(shown)].severity] if fails[len(shown) :] else Level.ERROR
        last = verdict or Annotation(level, "assay", "assay", ())
        verdict = replace(last, lines=(more, *last.lines))
        fails = shown
    elif len(fails) == room:
        verdict = None
    marks += [_of_finding(f, rules[f.rule], result) for f in fails]
    return (*marks, *([verdict] if verdict else ()))


def _verdict(result: ScanResult) -> Annotation | None:
    if result.gate is None or result.gate.status is GateStatus.PASSED:
        return None
    level = Level.ERROR if result.gate.is_enforced else Level.WARNING
    return Annotation(level, "gate", f"assay: gate {result.gate.status}", (plain(result.gate.reason),))


def _of_finding(finding: JudgedVerdict, rule: RuleInfo, result: ScanResult) -> Annotation:
    words = [finding.severity.value] + ([] if finding.state is None else [finding.state.value])
    lapsed = (f"Its waiver has expired: {plain(str(finding.lapsed))}",) if finding.lapsed else ()
    way_on = f"assay explain {rule.code}, finding {finding.fingerprint[:SHOWN_FINGERPRINT]}"
    return Annotation(
        Level.ERROR if selection.is_condemned(finding, result) else _LEVELS[finding.severity],
        plain(rule.code),
        plain(f"{rule.code} {rule.name} ({', '.join(words)})"),
        (plain(finding.message), plain(f"Fix: {rule.fix}"), *lapsed, plain(way_on)),
        _in_repository(finding.location, result),
    )


def _of_diagnostic(diagnostic: Diagnostic, result: ScanResult) -> Annotation:
    reason = diagnostic.reason.value
    line = diagnostic.line or 1
    verb = "not read" if diagnostic.reason.is_unread_file else "not judged"
    return Annotation(
        Level.ERROR,
        reason,
        f"{verb}: {reason.replace('-', ' ')}",
        (plain(diagnostic.message), REMEDIES[diagnostic.reason]),
        _in_repository(Location(diagnostic.path, line, 1, line, 1), result),
    )


def _in_repository(place: Location, result: ScanResult) -> Location:
    return replace(place, path=plain(result.scanned.prefix + place.path))
