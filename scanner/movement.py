"""Why scores moved between two results, split by cause so that the parts add up, and what became of the findings.

Nothing is scanned: the earlier result is turned into the later one cause by cause, and scored after each step.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from fractions import Fraction

from assay.scanner.causes import Cause, Causes, Pair, RuleChange
from assay.scanner.matching import mark_of, match
from assay.scanner.results import (
    JudgedVerdict,
    PrincipleScore,
    RuleInfo,
    ScanResult,
    SectionScore,
    ServiceResult,
    State,
)
from assay.scanner.scoring import rescored
from assay.scanner.verdicts import Kind

__all__ = [
    "FindingChange",
    "Movement",
    "MovementError",
    "PrincipleChange",
    "ServiceMovement",
    "Turn",
    "movement",
    "usual_cause",
]


class MovementError(Exception):
    """Two results can't be compared; the message is for the user."""


class Turn(StrEnum):
    """What became of a finding between two results."""

    NEW = "new"
    FIXED = "fixed"
    EDITED = "edited"
    MOVED = "moved"
    ACCEPTED = "accepted"
    REOPENED = "reopened"
    """It was accepted, and isn't any more."""


def usual_cause(turn: Turn) -> Cause:
    """What a person thinks of when told that a finding took the turn."""
    return Cause.WAIVERS if turn in (Turn.ACCEPTED, Turn.REOPENED) else Cause.CODE


_TURNS = {State.EDITED: Turn.EDITED, State.MOVED: Turn.MOVED}


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A finding as it is now, or as it was where it is gone."""

    turn: Turn
    cause: Cause
    finding: JudgedVerdict


@dataclass(frozen=True, slots=True)
class PrincipleChange:
    """A principle whose score (0 to 100, or None) isn't what it was."""

    id: str
    title: str
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True)
class ServiceMovement:
    """A service's score before and after; None where it had none, or wasn't there.

    `parts` are points by cause, whose sum is the change, exactly; none where one of the two is None.
    """

    service: str
    before: float | None
    after: float | None
    parts: Mapping[Cause, Fraction]
    principles: tuple[PrincipleChange, ...]

    @property
    def has_moved(self) -> bool:
        return self.before != self.after or any(self.parts.values()) or bool(self.principles)


@dataclass(frozen=True, slots=True)
class Movement:
    """How the later result differs from the earlier one. `now_read` and `now_unread` are files that only one of the
    two could read.
    """

    old: ScanResult
    new: ScanResult
    services: tuple[ServiceMovement, ...]
    findings: tuple[FindingChange, ...]
    rules: tuple[RuleChange, ...]
    now_read: tuple[str, ...]
    now_unread: tuple[str, ...]

    def count(self, turn: Turn, cause: Cause) -> int:
        """How many findings that count took that turn by that cause."""
        return sum(1 for _ in self.counting(turn, cause))

    def counting(self, turn: Turn, cause: Cause) -> Iterator[JudgedVerdict]:
        """The fails of rules that count that took that turn by that cause."""
        codes = self.old.counting | self.new.counting
        for change in self.findings:
            finding = change.finding
            if (change.turn, change.cause) == (turn, cause) and finding.kind is Kind.FAIL and finding.rule in codes:
                yield finding

    @property
    def is_none(self) -> bool:
        """Whether neither findings nor scores differ."""
        return not self.findings and not any(service.has_moved for service in self.services)


def movement(old: ScanResult, new: ScanResult) -> Movement:
    """From the earlier result to the later one. Raises MovementError where findings are missing from one of them."""
    for word, result in (("earlier", old), ("later", new)):
        if result.scanned.since is not None:
            raise MovementError(
                f"the {word} result holds only findings in lines changed since {result.scanned.since.revision}; "
                "scan without --since to compare"
            )
    causes = Causes(old, new)
    pairs = tuple(causes.pairs())
    return Movement(
        old,
        new,
        tuple(_services(causes, pairs)),
        tuple(_findings(old, new, pairs)),
        tuple(causes.rules.values()),
        causes.now_read,
        causes.now_unread,
    )


def _services(causes: Causes, pairs: Sequence[Pair]) -> Iterator[ServiceMovement]:
    earlier = {service.name: service for service in causes.old.services}
    later = {service.name: service for service in causes.new.services}
    for name in dict.fromkeys((*later, *earlier)):
        old, new = earlier.get(name), later.get(name)
        before, after = (None if service is None else service.score for service in (old, new))
        parts: Mapping[Cause, Fraction] = {}
        if old is not None and new is not None and before is not None and after is not None:
            parts = _parts(old, new, before, after, causes, [pair for pair in pairs if pair.service == name])
        yield ServiceMovement(name, before, after, parts, tuple(_principles(old, new)))


def _parts(
    old: ServiceResult, new: ServiceResult, before: float, after: float, causes: Causes, pairs: Sequence[Pair]
) -> dict[Cause, Fraction]:
    """The points of each cause: what its step changes. What scoring itself does otherwise is the analysis' part."""
    steps = [_score(_Step(old, new, causes, frozenset(list(Cause)[:done]), pairs)) for done in range(len(Cause) + 1)]
    scores: list[float] = []
    for score in steps:
        # A service that for a moment has nothing to score keeps what it had.
        scores.append((scores[-1] if scores else before) if score is None else score)
    parts = {cause: Fraction(b) - Fraction(a) for cause, a, b in zip(Cause, scores, scores[1:], strict=False)}
    parts[Cause.ANALYSIS] += Fraction(after) - sum(parts.values(), Fraction(before))
    return parts


@dataclass(frozen=True, slots=True)
class _Step:
    """A service between two results: in `done` it is as in the later one, else as in the earlier one."""

    old: ServiceResult
    new: ServiceResult
    causes: Causes
    done: frozenset[Cause]
    pairs: Sequence[Pair]

    @property
    def sections(self) -> tuple[SectionScore, ...]:
        return self.new.sections if Cause.STANDARD in self.done else self.old.sections

    @property
    def rules(self) -> list[RuleInfo]:
        earlier = {rule.code: rule for rule in self.causes.old.rules}
        later = {rule.code: rule for rule in self.causes.new.rules}
        changes = self.causes.rules
        known = (
            later.get(code) if code in changes and changes[code].cause in self.done else earlier.get(code)
            for code in sorted(earlier | later)
        )
        return [rule for rule in known if rule is not None and rule.counts]

    @property
    def verdicts(self) -> Iterator[JudgedVerdict]:
        for pair in self.pairs:
            verdict = pair.new if pair.cause in self.done else pair.old
            if verdict is None:
                continue
            source = pair.new if Cause.WAIVERS in self.done else pair.old
            accepted = source.acceptance if source is not None else None
            yield verdict if verdict.acceptance == accepted else replace(verdict, acceptance=accepted)


def _score(step: _Step) -> float | None:
    return rescored(replace(step.old, sections=step.sections), step.rules, step.verdicts).score


def _principles(old: ServiceResult | None, new: ServiceResult | None) -> Iterator[PrincipleChange]:
    earlier, later = _by_id(old), _by_id(new)
    for id_, principle in (earlier | later).items():
        before, after = (known[id_].score if id_ in known else None for known in (earlier, later))
        if before != after:
            yield PrincipleChange(id_, principle.title, before, after)


def _by_id(service: ServiceResult | None) -> dict[str, PrincipleScore]:
    return {p.id: p for section in service.sections for p in section.principles} if service else {}


def _findings(old: ScanResult, new: ScanResult, pairs: Sequence[Pair]) -> Iterator[FindingChange]:
    before, after = old.findings, new.findings
    causes_before = {id(pair.old): pair.cause for pair in pairs if pair.old}
    causes_after = {id(pair.new): pair.cause for pair in pairs if pair.new}
    matches = match([mark_of(f, old) for f in before], [mark_of(f, new) for f in after], _renames(old, new))
    known = {found.new: found for found in matches}
    gone = set(range(len(before))) - {found.old for found in matches}
    for place, finding in enumerate(after):
        found = known.get(place)
        if found is None:
            yield FindingChange(Turn.NEW, causes_after[id(finding)], finding)
        elif found.state in _TURNS:
            yield FindingChange(_TURNS[found.state], Cause.CODE, finding)
        was_accepted = found is not None and before[found.old].acceptance is not None
        if was_accepted != (finding.acceptance is not None):
            yield FindingChange(Turn.REOPENED if was_accepted else Turn.ACCEPTED, Cause.WAIVERS, finding)
    for place in sorted(gone):
        yield FindingChange(Turn.FIXED, causes_before[id(before[place])], before[place])


def _renames(old: ScanResult, new: ScanResult) -> dict[str, str]:
    """The earlier path of each file that only changed its name, as far as contents tell files apart."""
    gone = _by_digest(old.files, new.files)
    return {paths[0]: gone[digest][0] for digest, paths in _by_digest(new.files, old.files).items() if digest in gone}


def _by_digest(files: Mapping[str, str], others: Mapping[str, str]) -> dict[str, list[str]]:
    """The paths that only the first one has, by content, where there is one of it."""
    found: dict[str, list[str]] = {}
    for path, digest in files.items():
        if path not in others:
            found.setdefault(digest, []).append(path)
    return {digest: paths for digest, paths in found.items() if len(paths) == 1}
