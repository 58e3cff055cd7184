"""The sections and principles that rules of one's own belong to: written in a docstring, added to the standard's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from msgspec import structs

from assay.scanner.own_rules.errors import OwnRuleError, nearest
from assay.scanner.rulebook import Principle, Rule, Section, Standard

__all__ = ["Heading", "Loaded", "Weight", "extended", "headings_in"]

_HEADING = re.compile(r"(?P<id>[A-Z]+\d?):\s+(?P<text>\S.*)")
_TAKEN = {"B": "what bandit's checks are called", "META": "what Assay calls its checks of ignore comments"}
"""Letters of codes that are in no section of the standard, and yet not free."""


@dataclass(frozen=True, slots=True)
class Heading:
    """What a section (`ACME`) is called, or what a principle (`ACME1`) says."""

    id: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Weight:
    """A section's share of the overall score, where the standard's are 100."""

    section: str
    value: float
    place: str


@dataclass(frozen=True, slots=True)
class Loaded:
    """What one source holds."""

    rules: tuple[Rule, ...]
    headings: tuple[Heading, ...]
    weights: tuple[Weight, ...]


def headings_in(docstring: str, place: str) -> Iterator[Heading]:
    """`ACME1: billing endpoints are signed.` at the start of a line, up to an empty line or the next one.

    Where there are two sentences, the first is the title.
    """
    current: tuple[str, list[str]] | None = None
    for line in [*docstring.splitlines(), ""]:
        begins = _HEADING.match(line.strip())
        if current is not None and (begins or not line.strip()):
            yield Heading(current[0], " ".join(current[1]), place)
            current = None
        if begins:
            current = begins["id"], [begins["text"].strip()]
        elif current is not None:
            current[1].append(line.strip())


def extended(standard: Standard, sources: Sequence[Loaded]) -> Standard:
    """The standard with the sections of all the rules in the sources. Raises OwnRuleError.

    A section weighs nothing in the overall score, unless its source says otherwise: scores by the standard stay
    comparable.
    """
    taken = {section.id: "a section of the standard" for section in standard.sections} | _TAKEN
    rules = sorted((rule for source in sources for rule in source.rules), key=lambda rule: rule.code)
    for rule in rules:
        if rule.section in taken:
            whose = taken[rule.section]
            problem = f"{rule.code}: {rule.section} is {whose}; give your rules letters of their own, as in ACME101"
            raise OwnRuleError(rule.place, problem)
    headings = _told(heading for source in sources for heading in source.headings)
    weights = _weights((weight for source in sources for weight in source.weights), {rule.section for rule in rules})
    own = tuple(
        _section(name, [rule for rule in rules if rule.section == name], headings, weights.get(name, 0.0))
        for name in dict.fromkeys(rule.section for rule in rules)
    )
    return structs.replace(standard, sections=(*standard.sections, *own))


def _told(headings: Iterable[Heading]) -> dict[str, Heading]:
    """By id; several sources may say the same, not different things."""
    found: dict[str, Heading] = {}
    for heading in headings:
        first = found.setdefault(heading.id, heading)
        if first.text != heading.text:
            raise OwnRuleError(
                heading.place, f"{heading.id} is {heading.text!r} here and {first.text!r} in {first.place}; keep one"
            )
    return found


def _weights(weights: Iterable[Weight], sections: set[str]) -> dict[str, float]:
    found: dict[str, Weight] = {}
    for weight in weights:
        if weight.section not in sections:
            hint = nearest(weight.section, sorted(sections))
            raise OwnRuleError(weight.place, f"no rule is in a section {weight.section}{hint}")
        first = found.setdefault(weight.section, weight)
        if first.value != weight.value:
            raise OwnRuleError(
                weight.place,
                f"{weight.section} weighs {weight.value:g} here and {first.value:g} in {first.place}; keep one",
            )
    return {section: weight.value for section, weight in found.items()}


def _section(name: str, rules: Sequence[Rule], headings: dict[str, Heading], weight: float) -> Section:
    principles = []
    for number in dict.fromkeys(rule.principle for rule in rules):
        heading = headings.get(number)
        if heading is None:
            rule = next(rule for rule in rules if rule.principle == number)
            raise OwnRuleError(
                rule.place,
                f"{rule.code} belongs to {number}, and nothing says what that is; "
                f'write it where the file begins: "{number}: billing endpoints are signed."',
            )
        title, _, statement = heading.text.partition(". ")
        statement = _sentence(statement or title)
        principles.append(Principle(number, _sentence(title).rstrip("."), statement))
    title = headings[name].text.rstrip(".") if name in headings else "Rules of your own"
    return Section(name, title, weight, tuple(principles), is_own=True)


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:] + ("" if text.endswith((".", "!", "?")) else ".")
