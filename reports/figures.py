"""Figures and verdicts as people read them: scores, shares, counts, and a symbol with a word for every outcome."""

from __future__ import annotations

import math

from assay.reports.plain import plain
from assay.scanner.results import Since
from assay.scanner.verdicts import Kind

SYMBOLS = {Kind.PASS: "✓", Kind.FAIL: "✗", Kind.REVIEW: "?", Kind.NOT_APPLICABLE: "–"}
WORDS = {Kind.PASS: "pass", Kind.FAIL: "fail", Kind.REVIEW: "review", Kind.NOT_APPLICABLE: "not applicable"}
NOTHING = "–"
"""Stands where there is no figure."""


def score(value: float | None) -> str:
    """A score of 0 to 100 with one decimal; rounding never lifts it to a whole number, where the grades begin."""
    if value is None:
        return NOTHING
    rounded = round(value, 1)
    if rounded > value and rounded == math.floor(rounded):
        rounded -= 0.1
    return f"{rounded:.1f}"


def percent(share: float | None) -> str:
    """A share of 0 to 1 as a percentage, rounded as a score is."""
    return NOTHING if share is None else f"{score(share * 100)} %"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 fail`, `2 fails`, `1,200 findings`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def measure(value: float, unit: str = "") -> str:
    """A condition's value or limit: `3`, `96.3 %`, `0.5 points`."""
    return f"{value:,.1f}".removesuffix(".0") + (f" {unit}" if unit else "")


def joined(parts: list[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} {last} {parts[-1]}" if parts else ""


def since(restriction: Since) -> str:
    """`findings in lines changed since main (1a2b3c4); 41 others not shown`."""
    others = count(restriction.hidden, "other")
    return f"findings in lines changed since {plain(restriction.revision)} ({restriction.base[:7]}); {others} not shown"
