"""bandit and radon as parts of the pipeline: one syntax tree a file, from bytes that are read already.

Both use the running interpreter's grammar. Where that doesn't take a file, the facts say so, and Assay's own rules,
which read it with another parser, stand.
"""

from __future__ import annotations

from assay.scanner.analyzers.facts import AnalyzerFacts, BanditFinding, FunctionComplexity

__all__ = ["AnalyzerFacts", "BanditFinding", "FunctionComplexity", "analyze"]


def analyze(data: bytes) -> AnalyzerFacts:
    """Run both analyzers on one Python file. Never raises for what is in the file: `problem` tells."""
    from assay.scanner.analyzers import bandit_analyzer, radon_analyzer, syntax

    try:
        tree = syntax.parse(data)
    except syntax.NotParsableError as error:
        return AnalyzerFacts(problem=f"bandit and radon could not parse it: {error}; Assay's own rules stand")
    lines = syntax.Lines(data)
    try:
        complexities = radon_analyzer.complexities(tree, lines)
        findings, errors = bandit_analyzer.findings(tree, data, lines)
    except RecursionError:
        return AnalyzerFacts(problem="bandit and radon gave up on it: its code is nested too deeply for them")
    return AnalyzerFacts(tuple(findings), tuple(complexities), "; ".join(errors) or None)
