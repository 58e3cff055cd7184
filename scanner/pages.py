"""The standard to read, as plain data: what `assay rules` and `assay explain` show."""

from __future__ import annotations

from dataclasses import dataclass

from assay.scanner.results import RuleInfo


@dataclass(frozen=True, slots=True)
class PrinciplePage:
    """What a principle's page says; `attested` as in the standard: code alone can't show it."""

    id: str
    title: str
    statement: str
    weight: float
    attested: bool
    rules: tuple[RuleInfo, ...]


@dataclass(frozen=True, slots=True)
class SectionPage:
    """A chapter of the standard, or of rules beside it; `weight` is its share of the overall score, in percent."""

    id: str
    title: str
    weight: float
    principles: tuple[PrinciplePage, ...]
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class StandardPages:
    """The standard to read: sections, principles and rules in its order, the analyzers' checks by code, and the rules
    on comments that ignore findings.
    """

    edition: str
    sections: tuple[SectionPage, ...]
    checks: tuple[RuleInfo, ...]
    on_comments: tuple[RuleInfo, ...] = ()
