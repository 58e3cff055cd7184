"""The judge of a data rule: a value like the functions of other rules, made of conditions."""

from __future__ import annotations

import string
from collections.abc import Iterator
from dataclasses import dataclass

from assay.scanner.model.subject import Subject
from assay.scanner.own_rules.data.conditions import AllOf, some
from assay.scanner.verdicts import Evidence, Kind, Verdict, fail, not_applicable, passed, review

__all__ = ["DataJudge", "Demand", "Message"]


@dataclass(frozen=True, slots=True)
class Message:
    """What a finding says; `{label}` and other attributes of the subject are put in."""

    text: str

    @property
    def names(self) -> Iterator[str]:
        """The attributes that are put in. Raises ValueError for braces that don't match."""
        for _, name, spec, conversion in string.Formatter().parse(self.text):
            if name is not None:
                if not name or spec or conversion:
                    raise ValueError("only the name of an attribute stands between braces")
                yield name

    def of(self, subject: Subject) -> str:
        parts = []
        for text, name, _, _ in string.Formatter().parse(self.text):
            parts.append(text)
            if name is not None:
                value = getattr(subject, name)
                parts.append(", ".join(map(str, value)) if isinstance(value, tuple) else str(value))
        return "".join(parts)


@dataclass(frozen=True, slots=True)
class Demand:
    """What is forbidden, or required; where one of `unless` holds it isn't."""

    conditions: AllOf
    is_forbidden: bool
    unless: tuple[AllOf, ...] = ()

    def is_broken(self, subject: Subject) -> bool | None:
        """None where it can't be told."""
        holds = self.conditions.of(subject)
        excused = some(excuse.of(subject) for excuse in self.unless)
        breaks = holds if self.is_forbidden else _negated(holds)
        if breaks is False or excused is True:
            return False
        return None if breaks is None or excused is None else True

    def why_broken(self, subject: Subject) -> str:
        """What the subject has, or lacks."""
        has = str(self.conditions) if self.is_forbidden else self.conditions.instead(subject)
        lacks = (excuse.instead(subject) for excuse in self.unless)
        return "; ".join(text for text in (has, *lacks) if text) or "it is called here"

    def why_kept(self, subject: Subject) -> str:
        excuse = next((str(excuse) for excuse in self.unless if excuse.of(subject) is True), None)
        if excuse is not None:
            return excuse
        return self.conditions.instead(subject) if self.is_forbidden else str(self.conditions)


@dataclass(frozen=True, slots=True)
class DataJudge:
    """Judges what `where` holds of, by its demands."""

    where: AllOf
    demands: tuple[Demand, ...]
    message: Message

    def __call__(self, subject: Subject) -> Verdict:
        chosen = self.where.of(subject)
        if chosen is False:
            return not_applicable(f"it is about subjects where {self.where}")
        if chosen is None:
            return _asked(subject, self.where.instead(subject))
        answers = [(demand, demand.is_broken(subject)) for demand in self.demands]
        broken = [demand for demand, answer in answers if answer is True]
        if broken:
            place = subject.location
            return fail(self.message.of(subject), *(Evidence(place, demand.why_broken(subject)) for demand in broken))
        unsure = [demand for demand, answer in answers if answer is None]
        if unsure:
            return _asked(subject, "; ".join(demand.why_broken(subject) for demand in unsure))
        kept = "; ".join(demand.why_kept(subject) for demand in self.demands)
        return passed(kept, Evidence(subject.location, kept))

    @property
    def outcomes(self) -> frozenset[Kind]:
        """What it can say at all: cases show each of these."""
        found = {Kind.FAIL}
        if any(getattr(condition, "name", "") != "callee" for condition in self.where.conditions):
            found.add(Kind.NOT_APPLICABLE)
        if any(demand.conditions.conditions or demand.unless for demand in self.demands):
            found.add(Kind.PASS)
        return frozenset(found)


def _asked(subject: Subject, doubt: str) -> Verdict:
    return review(f"does it keep the rule? {doubt}", Evidence(subject.location, doubt))


def _negated(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
