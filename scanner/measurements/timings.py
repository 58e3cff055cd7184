"""Latencies of queries, requests and benchmarks, with the service and the route that they are of."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from assay.scanner.diagnostics import Diagnostic, Reason
from assay.scanner.evidence.figures import Timing, TimingReport
from assay.scanner.gathered import Gathered
from assay.scanner.measurements.reports import Found, Reports
from assay.scanner.model.measurement import MeasuredTiming, Timed
from assay.scanner.model.place import Evidence
from assay.scanner.model.role import Role
from assay.scanner.services import ServiceRoot

_OF_REQUESTS = re.compile(
    r"\s*(/\*.*?\*/\s*|\(\s*)*(select|insert|update|delete|with|merge)\b", re.IGNORECASE | re.DOTALL
)
_CATALOGUE = re.compile(
    r"\b(pg_catalog|information_schema|pg_stat\w*|pg_class|pg_database|pg_settings)\b", re.IGNORECASE
)
_REQUEST = re.compile(r"(?:(?P<method>[A-Z]+)\s+)?(?:https?://[^/\s]+)?(?P<path>/[^\s?#]*)")
_MIGRATIONS = re.compile(r"\b(alembic_version|django_migrations)\b", re.I)
_PARAMETER = re.compile(r"\{[^}]*\}|<[^>]*>|:\w+")


def timings(gathered: Gathered, reports: Reports) -> Iterator[MeasuredTiming]:
    """Each row of each report. Where a tree holds several services, a report says whose it is by where it lies."""
    claimed = set[str]()
    for service in gathered.services:
        for found in reports.of(service, TimingReport):
            claimed.add(found.path)
            yield from _rows(found, service, gathered)
    for found in reports.all(TimingReport):
        if found.path not in claimed and len(gathered.services) + len(gathered.neighbours) > 1:
            message = "which service was measured can't be told; lay it into the service's folder, or scan that folder"
            gathered.context.diagnostics.append(Diagnostic(found.path, None, Reason.UNRESOLVED, message))


def _rows(found: Found[TimingReport], service: ServiceRoot, gathered: Gathered) -> Iterator[MeasuredTiming]:
    numbers: Counter[str] = Counter()
    for timing in found.report.timings:
        mark = blake2b(timing.name.encode(), digest_size=4).hexdigest()
        identity = f"{found.report.tool}: {timing.name[:80]} {mark}" if len(timing.name) > 80 else timing.name
        numbers[identity] += 1
        again = f" #{numbers[identity]}" if numbers[identity] > 1 else ""
        yield MeasuredTiming(
            f"{found.path}: {identity}{again}",
            service.root,
            Timed(timing.what.value),
            timing.name,
            found.report.tool,
            timing.span.at(found.path),
            Role.PROD,
            timing.samples,
            timing.p95_ms,
            timing.mean_ms,
            timing.deviation_ms,
            timing.median_ms,
            timing.max_ms,
            timing.missed,
            _endpoint(timing, service, gathered),
            found.stale,
            _is_upkeep(timing),
        )


def _is_upkeep(timing: Timing) -> bool:
    if timing.what.value != Timed.QUERY.value:
        return False
    is_request = _OF_REQUESTS.match(timing.name) is not None
    return not is_request or _CATALOGUE.search(timing.name) is not None or _MIGRATIONS.search(timing.name) is not None


def _endpoint(timing: Timing, service: ServiceRoot, gathered: Gathered) -> Evidence | None:
    """The only route whose method and path match what was asked."""
    asked = _REQUEST.search(timing.name) if timing.what.value == Timed.REQUEST.value else None
    if asked is None:
        return None
    parts = asked["path"].strip("/").split("/")
    matching = [
        e
        for _, e in gathered.endpoints
        if gathered.owners.of(e.location.path) is service
        and asked["method"] in (None, e.method)
        and _matches(e.path.strip("/").split("/"), parts)
    ]
    if len(matching) != 1:
        return None
    return Evidence(matching[0].location, f"{matching[0].label} was asked")


def _matches(template: list[str], parts: list[str]) -> bool:
    return len(template) == len(parts) and all(
        t == p or _PARAMETER.search(t) is not None for t, p in zip(template, parts, strict=True)
    )
