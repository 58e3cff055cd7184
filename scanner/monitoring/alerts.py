"""Alerting rules: what keeps them quiet, and what they tell whoever is woken."""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterator

from assay.scanner.model.monitoring import Alert, Damping, Runbook
from assay.scanner.model.place import Evidence
from assay.scanner.monitoring import promql
from assay.scanner.monitoring.found import Monitoring
from assay.scanner.readers.monitoring.facts import AlertRule, Annotation

_NO_TIME = re.compile(r"0+(ms|[smhdwy])?$")
_SEVERITY = ("severity", "priority", "urgency", "level", "criticality", "sev", "page", "alert_level", "alert_severity")
_SEVERITY_VALUE = re.compile(
    r"(critical|error|warn(ing)?|info|page|ticket|high|medium|low|urgent|p[0-5]|sev-?[0-5])$", re.IGNORECASE
)
_TEXTS = ("summary", "description", "message", "title", "msg", "details", "text", "impact")
_PAGES = re.compile(
    r"(run|play)_?-?books?(_?-?(url|link|uri))?$|(sop|procedure|wiki|docs?|documentation)(_?(url|link))?$",
    re.IGNORECASE,
)
_PAGE_IN_TEXT = re.compile(
    r"https?://\S*?(run-?book|play-?book|wiki|confluence|notion|/docs?[/.])\S*|\S+\.(md|rst|adoc)\b", re.IGNORECASE
)
_PLACEHOLDER = re.compile(
    r"todo|tbd|\bfixme|change-?me|//([\w-]+\.)*example\.(com|org)|^(n/?a|none|-+|\.+|<.*>|x+)$", re.IGNORECASE
)
_AGE = re.compile(r"\btime\(\)\s*-|_timestamp_seconds\b.*-\s*time\(\)|_(ttl|age|expir\w*|not_after)(_\w+)?\b")
"""How long ago something was, or how long it still is: a duration in itself."""


def alerts(found: Monitoring) -> Iterator[Alert]:
    """Those of all files."""
    for path, facts in found.files.items():
        counted: Counter[str] = Counter()
        for rule in facts.alerts:
            counted[rule.name] += 1
            home = found.home(path, rule)
            if home is not None:
                yield _alert(rule, path, home, counted[rule.name], found)


def _alert(rule: AlertRule, path: str, home: str, ordinal: int, found: Monitoring) -> Alert:
    runbook, page = _runbook(rule, path, found)
    return Alert(
        home,
        path,
        rule.name,
        ordinal,
        rule.span.at(path),
        found.role(path),
        _damping(rule),
        next(_severities(rule), None),
        next((a.span.evidence(path, f"its {a.name}") for a in rule.annotations if _tells(a)), None),
        runbook,
        page,
        is_heartbeat(rule) or any(label == "severity" and value.lower() == "none" for label, value in rule.labels),
    )


def is_heartbeat(rule: AlertRule) -> bool:
    """Whether it always fires."""
    return bool(rule.expressions) and all(promql.is_constant(expression) for expression, _ in rule.expressions)


def _damping(rule: AlertRule) -> Damping:
    waits = rule.waits is not None and rule.waits != ""
    if waits and not _NO_TIME.match(rule.waits or ""):
        return Damping.WAITS
    if rule.keeps is not None and not _NO_TIME.match(rule.keeps):
        return Damping.KEEPS
    if rule.expressions and all(_looks_back(expression) for expression, _ in rule.expressions):
        return Damping.WINDOW
    return Damping.AT_ONCE if waits else Damping.NOTHING


def _looks_back(expression: str) -> bool:
    read = promql.selectors(expression)
    over_time = any(s.is_range for s in read) or any((s.metric or "").count(":") >= 1 for s in read)
    return over_time or _AGE.search(expression) is not None


def _severities(rule: AlertRule) -> Iterator[str]:
    yield from (value for label, value in rule.labels if label.lower() in _SEVERITY and value)
    yield from (value for _, value in rule.labels if _SEVERITY_VALUE.match(value))


def _tells(annotation: Annotation) -> bool:
    return annotation.name.lower() in _TEXTS and bool(annotation.text.strip())


def _runbook(rule: AlertRule, path: str, found: Monitoring) -> tuple[Runbook, Evidence | None]:
    for annotation in rule.annotations:
        if _PAGES.search(annotation.name) and annotation.text.strip():
            shown = annotation.span.evidence(path, f"its {annotation.name}")
            return _page(annotation.text.strip(), path, found), shown
    for annotation in rule.annotations:
        inside = _PAGE_IN_TEXT.search(annotation.text)
        if inside is not None:
            return _page(inside[0], path, found), annotation.span.evidence(path, f"its {annotation.name} names a page")
    return Runbook.NOTHING, None


def _page(text: str, path: str, found: Monitoring) -> Runbook:
    if _PLACEHOLDER.search(text):
        return Runbook.PLACEHOLDER
    if "://" in text or "{{" in text or "$" in text:
        return Runbook.PAGE
    named = re.split(r"[#?\s]", text, maxsplit=1)[0].rstrip(".,;:)")
    if posixpath.splitext(named)[1] not in (".md", ".rst", ".adoc", ".txt", ".html"):
        return Runbook.PAGE
    beside = posixpath.normpath(posixpath.join(posixpath.dirname(path), named))
    paths = found.gathered.paths
    is_there = beside in paths or any(p == named.lstrip("./") or p.endswith(f"/{named.lstrip('./')}") for p in paths)
    return Runbook.FILE if is_there else Runbook.GONE
