"""A rule's word on one subject: its kind, a sentence, and the evidence for it."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from assay.scanner.model.place import Evidence

__all__ = ["Evidence", "Kind", "Severity", "Verdict", "fail", "not_applicable", "passed", "review"]


class Kind(StrEnum):
    """The four outcomes; the values are SARIF's `result.kind` (SARIF 2.1.0 §3.27.9)."""

    PASS = "pass"
    FAIL = "fail"
    REVIEW = "review"
    NOT_APPLICABLE = "notApplicable"


class Severity(StrEnum):
    """The harm done when a fail is true, worst first."""

    CRITICAL = "critical"
    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"

    @property
    def weight(self) -> int:
        """How much a rule of this severity counts in its principle's score."""
        return {"critical": 8, "high": 4, "medium": 2, "low": 1}[self.value]

    @property
    def rank(self) -> int:
        """0 for the worst; sorts findings worst first."""
        return _RANKS[self]


_RANKS = {severity: rank for rank, severity in enumerate(Severity)}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule returns for one subject.

    `flows` are ways that a value takes to the subject, a few of them: each has its steps in order, from where the value
    comes from to where it is used.
    """

    kind: Kind
    message: str
    evidence: tuple[Evidence, ...] = ()
    flows: tuple[tuple[Evidence, ...], ...] = ()


def passed(message: str, *evidence: Evidence, flows: tuple[tuple[Evidence, ...], ...] = ()) -> Verdict:
    """The subject keeps the rule, and the evidence shows why."""
    return Verdict(Kind.PASS, message, evidence, flows)


def fail(message: str, *evidence: Evidence, flows: tuple[tuple[Evidence, ...], ...] = ()) -> Verdict:
    """The subject breaks the rule: a senior reviewer would block the merge for it."""
    return Verdict(Kind.FAIL, message, evidence, flows)


def review(message: str, *evidence: Evidence, flows: tuple[tuple[Evidence, ...], ...] = ()) -> Verdict:
    """The analysis can't settle it: the message is the question that a person has to answer."""
    return Verdict(Kind.REVIEW, message, evidence, flows)


def not_applicable(message: str, *evidence: Evidence) -> Verdict:
    """The rule has nothing to say about this subject; the message says why."""
    return Verdict(Kind.NOT_APPLICABLE, message, evidence)
