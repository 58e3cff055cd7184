"""How two scans of one tree differ: findings that are new, findings that are gone, scores that moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from assay.scanner.results import JudgedVerdict, ScanResult


@dataclass(frozen=True, slots=True)
class ScoreChange:
    """A service's score (0 to 100, or None) and grade, before and after; None and no grade where it isn't there."""

    service: str
    before: float | None
    after: float | None
    grade_before: str
    grade_after: str


@dataclass(frozen=True, slots=True)
class Difference:
    """`findings` counts all of the later scan; `new` and `gone` are in its order of findings, worst first."""

    new: tuple[JudgedVerdict, ...]
    gone: tuple[JudgedVerdict, ...]
    findings: int
    scores: tuple[ScoreChange, ...]


def difference(before: ScanResult, after: ScanResult) -> Difference:
    """Compare by fingerprint and kind, so that moved code makes nothing new, and a review that became a fail does.

    The same finding may be there several times: a third one beside two is new.
    """
    return Difference(
        new=tuple(_beyond(after.findings, before.findings)),
        gone=tuple(_beyond(before.findings, after.findings)),
        findings=len(after.findings),
        scores=tuple(_score_changes(before, after)),
    )


def _beyond(findings: Iterable[JudgedVerdict], known: Iterable[JudgedVerdict]) -> Iterator[JudgedVerdict]:
    left = Counter((f.fingerprint, f.kind) for f in known)
    for finding in findings:
        mark = finding.fingerprint, finding.kind
        if left[mark]:
            left[mark] -= 1
        else:
            yield finding


def _score_changes(before: ScanResult, after: ScanResult) -> Iterator[ScoreChange]:
    earlier = {s.name: (s.score, s.grade) for s in before.services}
    later = {s.name: (s.score, s.grade) for s in after.services}
    for name in earlier | later:
        (old, old_grade), (new, new_grade) = earlier.get(name, (None, "")), later.get(name, (None, ""))
        if (old, old_grade) != (new, new_grade):
            yield ScoreChange(name, old, new, old_grade, new_grade)
