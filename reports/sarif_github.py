"""The SARIF report for GitHub code scanning, which makes an alert of every result: the open fails that it can show.

It reads neither `kind` nor `suppressions` nor `baselineState`, so a pass or an accepted finding would be an alert. What
is missing in a later upload it closes as fixed. Its limits are told in "SARIF support for code scanning".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from itertools import islice

from assay.reports import figures
from assay.reports.plain import plain
from assay.reports.sarif import automation_details, fingerprints, invocation, log_text, tool
from assay.reports.sarif_log import Message, Notification, Result, ResultProperties, Run, SarifLocation
from assay.reports.sarif_places import Places, message
from assay.reports.sarif_rules import LEVELS, shortened
from assay.reports.selection import in_turns, open_fails
from assay.scanner.model.place import Evidence, Location
from assay.scanner.results import JudgedVerdict, RuleInfo, ScanResult

MOST_RESULTS = 5_000
"""GitHub takes 25,000 of a run, and keeps these."""
MOST_RELATED = 100
"""Locations beside the first one that it shows."""
MOST_STEPS = 1_000
"""Locations of a thread flow that it keeps."""
MOST_FLOWS = 10
"""So that the thread flows of a result stay below the 10,000 locations that it takes."""

_NO_LINK_TEXT = re.compile(r"[\\\[\]]")


def render(result: ScanResult) -> str:
    """A log of one run, whatever the number of services: of several with one category GitHub takes none.

    What fails the gate comes first, then what is new, then the worst; the results beyond 5,000 are counted in a
    notification. Paths are relative to the top of the repository.
    """
    places = Places(prefix=result.scanned.prefix)
    fails = in_turns(open_fails(result), result)
    shown = fails[:MOST_RESULTS]
    used = {fail.rule for fail in shown}
    rules = [rule for rule in result.rules if rule.code in used]
    unread = (replace(d, message=_line(d.message)) for d in result.diagnostics)
    notifications = (*map(places.notification, unread), *_rest(len(fails) - len(shown)))
    noticed = replace(result, notices=tuple(map(_line, result.notices)))
    return log_text(
        Run(
            tool=tool(result, rules),
            automation_details=automation_details(result),
            invocations=(invocation(noticed, notifications),),
            column_kind="unicodeCodePoints",
            results=tuple(_results(shown, rules, places, result)),
        )
    )


def _rest(count: int) -> Iterator[Notification]:
    if count:
        findings = figures.count(count, "more finding")
        yield Notification(
            "warning", Message(f"{findings}: GitHub keeps {MOST_RESULTS:,} of an upload; another report tells all")
        )


def _results(
    fails: Iterable[JudgedVerdict], rules: Iterable[RuleInfo], places: Places, result: ScanResult
) -> Iterator[Result]:
    known = {rule.code: (index, rule) for index, rule in enumerate(rules)}
    for fail in fails:
        index, rule = known[fail.rule]
        yield Result(
            rule_id=fail.rule,
            rule_index=index,
            kind=fail.kind,
            level=LEVELS[fail.severity],
            message=_message(fail, rule),
            locations=(SarifLocation(places.physical(_shown(fail.location, result))),),
            partial_fingerprints=fingerprints(fail),
            properties=ResultProperties(fail.service, fail.severity, fail.state),
            code_flows=tuple(
                places.code_flow(tuple(map(_harmless, steps[-MOST_STEPS:]))) for steps in fail.flows[:MOST_FLOWS]
            ),
            related_locations=tuple(
                places.related(_harmless(evidence), number)
                for number, evidence in enumerate(fail.evidence[:MOST_RELATED], start=1)
            ),
        )


def _shown(place: Location, result: ScanResult) -> Location:
    """A file's first line where it stands for the whole file: an empty stretch marks nothing."""
    if place != Location.whole_file(place.path):
        return place
    return Location(place.path, 1, 1, 1, len(result.line(place.path, 1)) + 1)


def _message(fail: JudgedVerdict, rule: RuleInfo) -> Message:
    """What is wrong (GitHub shows the first sentence where there is little room), the evidence, and what to do."""
    label, wrong = _line(fail.subject.label), _line(fail.message)
    # A message speaks of its subject, and does so by name where one place has several.
    said = wrong if label in wrong else f"{wrong} ({label})"
    parts = [message(_sentence(said)).text]
    links = [_link(evidence, number) for number, evidence in enumerate(islice(fail.evidence, MOST_RELATED), start=1)]
    if links:
        parts.append(f"See {', '.join(links)}.")
    if fail.lapsed is not None:
        parts.append(message(_sentence(f"Its waiver has expired: {_line(str(fail.lapsed))}")).text)
    parts.append(message(_sentence(f"Fix: {_line(rule.fix)}")).text)
    return Message(" ".join(parts))


def _link(evidence: Evidence, number: int) -> str:
    """§3.11.6; brackets and backslashes may end a link's text."""
    text = _line(evidence.text)
    return f"[{text if text and not _NO_LINK_TEXT.search(text) else f'evidence {number}'}]({number})"


def _harmless(evidence: Evidence) -> Evidence:
    return Evidence(evidence.location, _line(evidence.text))


def _line(text: str) -> str:
    return shortened(plain(" ".join(text.split())))


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?", "…")) else f"{text}."
