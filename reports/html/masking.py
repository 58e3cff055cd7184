"""A result without what must not leave the house: secrets in the code always, and all code where none is wanted."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import replace

from assay.reports.highlight import Token, tokens
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult

__all__ = ["MASK", "masked", "without_quotes"]

MASK = "•"
"""Stands for each character of a secret, so that places in its line stay what they are."""

HARD_CODED = frozenset({259, 321, 798})
"""Weaknesses (CWE) that are a secret written down: as a password, as a key of encryption, as any credential."""

_QUOTED = re.compile(r"""(?P<open>(?<!\w)["'])(?P<inner>.*)(?P<close>(?P=open)(?!\w))""", re.DOTALL)
"""From the first mark to the last: a secret may hold some itself."""
_LITERAL = re.compile(
    r"""(?P<open>[A-Za-z]{0,2}(?:"{3}|'{3}|"|'))(?P<inner>.*?)(?P<close>"{3}|'{3}|"|'|$)""", re.DOTALL
)
_ASSIGNED = re.compile(r"(?P<name>^\s*(?:[-+]\s+)?(?:[A-Za-z]+\s+)?[\"']?[\w.-]+[\"']?\s*[:=]\s*)(?P<value>.+)")


def masked(result: ScanResult, *, snippets: bool) -> ScanResult:
    """The result with the secrets that rules found written over, in the code and in what is said of them.

    Without `snippets` there is no code at all, and what is said of a secret is the rule's title alone.
    """
    rules = {rule.code: rule for rule in result.rules if HARD_CODED & set(rule.cwe)}
    secret = [verdict for verdict in result.verdicts if verdict.rule in rules and verdict.is_finding]
    if not secret and snippets:
        return result
    told = {id(verdict): _told(verdict, rules[verdict.rule], snippets) for verdict in secret}
    return replace(
        result,
        verdicts=tuple(told.get(id(verdict), verdict) for verdict in result.verdicts),
        sources=_sources(result, secret) if snippets else {},
        openings=result.openings if snippets else {},
    )


def _told(verdict: JudgedVerdict, rule: RuleInfo, snippets: bool) -> JudgedVerdict:
    if snippets:
        return replace(
            verdict,
            message=without_quotes(verdict.message),
            evidence=tuple(replace(e, text=without_quotes(e.text)) for e in verdict.evidence),
            flows=tuple(tuple(replace(e, text=without_quotes(e.text)) for e in flow) for flow in verdict.flows),
        )
    return replace(
        verdict,
        message=rule.title,
        evidence=tuple(Evidence(e.location, "") for e in verdict.evidence),
        flows=tuple(tuple(Evidence(e.location, "") for e in flow) for flow in verdict.flows),
    )


def without_quotes(text: str) -> str:
    """What stands in quotation marks may be the secret itself; how long it is, is nobody's business here."""
    return _QUOTED.sub(lambda found: found["open"] + (MASK * 3 if found["inner"] else "") + found["close"], text)


def _sources(result: ScanResult, secret: list[JudgedVerdict]) -> Mapping[str, Mapping[int, str]]:
    """The lines of code, those with a secret masked: for every finding that shows them, whatever rule it is of."""
    cited: defaultdict[str, set[int]] = defaultdict(set)
    for verdict in secret:
        for place in verdict.places:
            known, openings = result.sources.get(place.path, {}), result.openings.get(place.path, {})
            cited[place.path].update(_lines(place, known, openings))
    return {
        path: {
            number: _masked_line(path, line, result.openings.get(path, {}).get(number, ""))
            if number in cited[path]
            else line
            for number, line in lines.items()
        }
        if path in cited
        else lines
        for path, lines in result.sources.items()
    }


def _lines(place: Location, known: Mapping[int, str], openings: Mapping[int, str]) -> Iterator[int]:
    """Those of the place, and those before and after that begin in a string that may be the same."""
    first, last = place.line, max(place.line, place.end_line)
    while first in openings:
        first -= 1
    while last + 1 in openings:
        last += 1
    return (number for number in known if first <= number <= last)


def _masked_line(path: str, line: str, opening: str) -> str:
    if not path.endswith((".py", ".pyi")):
        return _masked_setting(line)
    kept, text = len(opening), ""
    for token, part in tokens(path, [opening + line])[0]:
        text += _masked_strings(part) if token is Token.STRING else part
    return text[kept:]


def _masked_strings(text: str) -> str:
    """The inner characters of the literals in a stretch of them."""
    return _LITERAL.sub(lambda found: found["open"] + _hidden(found["inner"]) + found["close"], text)


def _masked_setting(line: str) -> str:
    """`PASSWORD: hunter2` and `ENV KEY=abc` lose their value; a line in no such form loses everything."""
    found = _ASSIGNED.match(line)
    return _hidden(line) if found is None else found["name"] + _hidden(found["value"])


def _hidden(text: str) -> str:
    return re.sub(r"\S", MASK, text)
