"""What the gate demands, as `[gate]` of the configuration says it.

Without any condition of one's own the default gate holds: no new critical or high finding, no principle worse than
before, a complete analysis, no waiver past its date.
"""

from __future__ import annotations

from datetime import date
from enum import StrEnum
from typing import Annotated, Literal

from msgspec import Meta, field, structs

from assay.scanner.config.tables import Count, Percentage, Points, Table


class Mode(StrEnum):
    """Whether an unmet condition fails the gate."""

    ENFORCE = "enforce"
    WARN = "warn"


class ReviewsMode(StrEnum):
    """What a new finding of kind `review` does."""

    REPORT = "report"
    FAIL = "fail"


class RatchetScope(StrEnum):
    """Within what new fails have to be outweighed by fixed ones."""

    OFF = "off"
    OVERALL = "overall"
    SECTION = "section"
    PRINCIPLE = "principle"
    RULE = "rule"


class ScoreLimit(Table, frozen=True):
    """Limits of a score: the lowest one, and how much it may drop against the base where a finding is new."""

    min: Percentage | None = None
    max_drop: Points | None = None


Limit = Annotated[Count | Literal["any"], Meta(description='A number, or "any".')]


class SeverityLimits(Table, frozen=True):
    """How many fails of each severity there may be; without a number, any."""

    critical: Limit | None = None
    high: Limit | None = None
    medium: Limit | None = None
    low: Limit | None = None


class NewLimits(SeverityLimits, frozen=True):
    """How many new fails of each severity a change may bring; critical and high ones none, unless it is said."""

    critical: Limit | None = 0
    high: Limit | None = 0
    review: ReviewsMode = ReviewsMode.REPORT


class RatchetConfig(Table, frozen=True):
    """New fails less fixed ones must not be more than nothing, within the scope."""

    scope: RatchetScope = RatchetScope.PRINCIPLE


class RuleGate(Table, frozen=True, rename={"from_": "from"}):
    """A rule that is announced: it counts from a date on, and only warns until then."""

    from_: Annotated[date, Meta(description="The first day on which it counts.")]


class ServiceGate(Table, frozen=True):
    """Limits of one service, besides those of the whole tree."""

    overall: ScoreLimit = ScoreLimit()
    sections: Annotated[dict[str, ScoreLimit], Meta(description="By section, such as SEC.")] = field(
        default_factory=dict
    )
    principles: Annotated[dict[str, ScoreLimit], Meta(description="By principle, such as API4.")] = field(
        default_factory=dict
    )
    severities: SeverityLimits = SeverityLimits()


class PathGate(Table, frozen=True):
    """Limits of the findings in some files. What these count, the limits of `[gate.new]` don't count again."""

    path: Annotated[str, Meta(min_length=1, description="A pattern in gitignore syntax.")]
    new: SeverityLimits = SeverityLimits()
    severities: SeverityLimits = SeverityLimits()


class GateConfig(Table, frozen=True):
    """All conditions. `new_since` is "merge-base", "baseline" or a revision."""

    mode: Mode = Mode.ENFORCE
    new_since: Annotated[
        str, Meta(min_length=1, description='What new is measured against: "merge-base", "baseline" or a revision.')
    ] = "merge-base"
    on_incomplete: Annotated[
        Mode, Meta(description="Whether files that could not be read keep the gate from passing.")
    ] = Mode.ENFORCE
    min_coverage: Annotated[Percentage | None, Meta(description="Share of what could be judged, in percent.")] = None
    overall: ScoreLimit = ScoreLimit()
    sections: Annotated[dict[str, ScoreLimit], Meta(description="By section, such as SEC.")] = field(
        default_factory=dict
    )
    principles: Annotated[dict[str, ScoreLimit], Meta(description="By principle, such as API4.")] = field(
        default_factory=dict
    )
    severities: SeverityLimits = SeverityLimits()
    new: NewLimits = NewLimits()
    ratchet: RatchetConfig = RatchetConfig()
    rules: Annotated[dict[str, RuleGate], Meta(description="By rule code: when an announced rule begins to count.")] = (
        field(default_factory=dict)
    )
    paths: Annotated[tuple[PathGate, ...], Meta(description="Other limits for the findings in some files.")] = ()


def on_new_only(gate: GateConfig) -> GateConfig:
    """The same without the limits that hold for the whole tree."""
    paths = tuple(structs.replace(entry, severities=SeverityLimits()) for entry in gate.paths)
    return structs.replace(
        gate,
        min_coverage=None,
        overall=ScoreLimit(),
        sections={},
        principles={},
        severities=SeverityLimits(),
        paths=paths,
    )
