"""What the analyzers say of one file: plain, serialisable values that depend on the file's bytes alone."""

from __future__ import annotations

import msgspec


class BanditFinding(msgspec.Struct, frozen=True, array_like=True):
    """One issue as bandit reports it, with a place in code points (from 1, the end exclusive).

    `function` is the qualified name of the function or class around it, empty at module level. `severity` and
    `confidence` are bandit's own words; `cwe` is 0 where bandit names none.
    """

    test_id: str
    name: str
    severity: str
    confidence: str
    cwe: int
    message: str
    function: str
    line: int
    column: int
    end_line: int
    end_column: int


class FunctionComplexity(msgspec.Struct, frozen=True, array_like=True):
    """A function's cyclomatic complexity as radon counts it, its rank (A best, F worst), and where its `def` is."""

    function: str
    complexity: int
    rank: str
    line: int
    column: int
    end_line: int
    end_column: int


class AnalyzerFacts(msgspec.Struct, frozen=True, array_like=True):
    """`problem` says why the analyzers could not look at the file, or at all of it; None when they could."""

    findings: tuple[BanditFinding, ...] = ()
    complexities: tuple[FunctionComplexity, ...] = ()
    problem: str | None = None
