"""What a change did: the findings of a tree held against those of its base."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import PurePosixPath

from assay.scanner.baseline import Baseline
from assay.scanner.matching import Mark, mark_of, match
from assay.scanner.model.measurement import MEASURED
from assay.scanner.model.place import Location
from assay.scanner.results import Base, BaseKind, JudgedVerdict, ScanResult, State, SubjectReference
from assay.scanner.verdicts import Kind

__all__ = ["compared_with_baseline", "compared_with_commit"]


def compared_with_commit(
    head: ScanResult,
    base: ScanResult | None,
    name: str,
    commit: str,
    renames: Mapping[str, str],
    is_changed: Callable[[Mark], bool] = lambda _: False,
) -> ScanResult:
    """The head with each finding's state, and what is fixed. Without a result (there was no backend) all is new.

    What was measured for the first time is no regression. What stands in a file that could not be read at the base was
    there, for all that anybody knows, unless its line `is_changed`; what stood in a file that can't be read now is not
    fixed.
    """
    old = base.findings if base else ()
    marks = [mark_of(f, base) for f in old] if base else []
    unread_before = _unread(base) if base else frozenset()
    states, gone = _states(head, marks, renames, is_changed)

    measured_before = {(v.service, v.subject.kind) for v in base.verdicts} if base else frozenset()

    def is_old(verdict: JudgedVerdict) -> bool:
        path = verdict.location.path
        if verdict.subject.kind in MEASURED and (verdict.service, verdict.subject.kind) not in measured_before:
            return True
        return _holds(unread_before, renames.get(path, path)) and not is_changed(mark_of(verdict, head))

    verdicts = tuple(_with_state(v, states, is_old) for v in head.verdicts)
    unread_now = {renames.get(path, path) for path in _unread(head)}
    fixed = tuple(old[place] for place in gone if not _holds(unread_now, old[place].location.path))
    services = base.services if base else ()
    return replace(head, verdicts=verdicts, base=Base(BaseKind.COMMIT, name, commit, fixed, services))


def compared_with_baseline(head: ScanResult, baseline: Baseline) -> ScanResult:
    """The head with each finding's state. Entries that match nothing are fixed, and still in the file: stale."""
    states, gone = _states(head, baseline.marks, {}, lambda _: False)
    fixed = []
    unread_now = _unread(head)
    for place in gone:
        entry = baseline.entries[place]
        if not _holds(unread_now, entry.path):
            where = Location(entry.path, entry.line, 1, entry.line, 1)
            subject = SubjectReference("", entry.subject, entry.subject)
            kind = Kind(entry.kind)
            fixed.append(JudgedVerdict("", entry.rule, kind, entry.severity, subject, where, "", (), entry.id))
    # A baseline doesn't tell what was measured without a finding.
    verdicts = tuple(_with_state(v, states, lambda v: v.subject.kind in MEASURED) for v in head.verdicts)
    base = Base(BaseKind.BASELINE, baseline.name, None, tuple(fixed), stale=len(fixed))
    return replace(head, verdicts=verdicts, base=base)


def _states(
    head: ScanResult, old: list[Mark], renames: Mapping[str, str], is_changed: Callable[[Mark], bool]
) -> tuple[dict[str, State], list[int]]:
    """By fingerprint, of which every finding has its own; and the places of old findings that match none."""
    findings = head.findings
    matches = match(old, [mark_of(f, head) for f in findings], renames, is_changed)
    matched = {m.old for m in matches}
    states = {findings[m.new].fingerprint: m.state for m in matches}
    return states, [place for place in range(len(old)) if place not in matched]


def _with_state(
    verdict: JudgedVerdict, states: Mapping[str, State], is_old: Callable[[JudgedVerdict], bool]
) -> JudgedVerdict:
    if not verdict.is_finding:
        return verdict
    state = states.get(verdict.fingerprint) or (State.KNOWN if is_old(verdict) else State.NEW)
    return replace(verdict, state=state)


def _unread(result: ScanResult) -> frozenset[str]:
    return frozenset(d.path for d in result.diagnostics if d.reason.is_unread_file)


def _holds(unread: frozenset[str] | set[str], path: str) -> bool:
    """Whether the file, or a folder that it lies in, is among what could not be read."""
    return not unread.isdisjoint((path, *map(str, PurePosixPath(path).parents)))
