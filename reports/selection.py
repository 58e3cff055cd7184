"""Which findings a short report speaks of: those that somebody has to do something about."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from assay.scanner.diagnostics import Diagnostic
from assay.scanner.results import JudgedVerdict, Outcome, ScanResult, State
from assay.scanner.verdicts import Kind


def open_fails(result: ScanResult) -> tuple[JudgedVerdict, ...]:
    """The fails that count, in scores and at the gate, and that nobody has accepted; worst first."""
    counting = result.counting
    return tuple(f for f in result.findings if f.kind is Kind.FAIL and f.acceptance is None and f.rule in counting)


def to_mend(result: ScanResult) -> tuple[JudgedVerdict, ...]:
    """What a change has to answer for: its new fails, and all that an unmet condition of the gate counts; every open
    fail where there is nothing to compare with.

    What keeps the gate from passing comes first, then what is new, then the worst; among equals each file has its turn.
    """
    condemned = _condemned(result)
    fails = [fail for fail in open_fails(result) if result.base is None or fail.state is State.NEW]
    counted = set(fails)
    others = [f for f in result.findings if f.fingerprint in condemned and f not in counted]
    return _spread([*fails, *others], condemned)


def in_turns(fails: Iterable[JudgedVerdict], result: ScanResult) -> tuple[JudgedVerdict, ...]:
    """What fails the gate first, then what is new, then the worst; among equals every file has its turn."""
    return _spread(fails, _condemned(result))


def is_condemned(finding: JudgedVerdict, result: ScanResult) -> bool:
    """Whether an unmet condition of the gate counts it."""
    return finding.fingerprint in _condemned(result)


def grave(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Those that leave something out of the result: files that weren't read, and errors in Assay."""
    return tuple(d for d in diagnostics if d.reason.is_grave)


def _condemned(result: ScanResult) -> frozenset[str]:
    conditions = result.gate.conditions if result.gate else ()
    return frozenset(mark for c in conditions if c.outcome is Outcome.NOT_MET for mark in c.fingerprints)


def _spread(findings: Iterable[JudgedVerdict], condemned: frozenset[str]) -> tuple[JudgedVerdict, ...]:
    turns: Counter[tuple[tuple[bool, bool, bool, int], str]] = Counter()
    keyed = []
    for finding in findings:
        is_review = finding.kind is Kind.REVIEW
        is_free = finding.fingerprint not in condemned
        weight = (is_free, finding.state is not State.NEW, is_review, finding.severity.rank)
        turn = (weight, finding.location.path)
        keyed.append(((*weight, turns[turn], finding.location, finding.rule, finding.subject.id), finding))
        turns[turn] += 1
    return tuple(finding for _, finding in sorted(keyed, key=lambda pair: pair[0]))
