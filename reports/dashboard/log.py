"""What scans brought, told as a person would: `payments B → C: SEC1 79 → 39 in 91c2ab7`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from assay.reports import figures
from assay.reports.dashboard import addresses
from assay.reports.dashboard.portfolio import Portfolio
from assay.reports.plain import plain
from assay.scanner.history.records import Change, FindingRecord, Period, PrincipleRecord, ServiceRecord

__all__ = ["Entry", "Item", "entries", "latest"]

_MOVES = 4
_SHOWN = 5
_SMALLEST = 0.5
"""Points below which a principle's move isn't told."""
_SHORT = 10


@dataclass(frozen=True, slots=True)
class Item:
    """A finding that came or went."""

    severity: str
    rule: str
    text: str
    place: str


@dataclass(frozen=True, slots=True)
class Entry:
    """One scan against the one before it; `kind` is better, worse or same."""

    day: str
    order: tuple[str, str]
    service: str
    address: str
    commit: str
    kind: str
    symbol: str
    word: str
    grades: str
    scores: str
    moves: str
    edition: str
    is_trusted: bool
    new: tuple[Item, ...]
    more_new: int
    fixed: tuple[Item, ...]
    more_fixed: int
    accepted: int
    reopened: int


def entries(service: ServiceRecord, portfolio: Portfolio) -> tuple[Entry, ...]:
    """The scans that changed anything, newest first."""
    changes = reversed(portfolio.changes.get(service.id, ()))
    return tuple(_entry(service, change, portfolio) for change in changes if _is_told(change))


def latest(services: Iterable[ServiceRecord], portfolio: Portfolio, number: int) -> tuple[tuple[Entry, ...], int]:
    """The newest entries of several services, newest first, and how many more there are."""
    found = [
        (service, change)
        for service in services
        for change in reversed(portfolio.changes.get(service.id, ()))
        if _is_told(change)
    ]
    found.sort(key=lambda each: (each[1].scan.at, each[0].label), reverse=True)
    shown = tuple(_entry(service, change, portfolio) for service, change in found[:number])
    return shown, max(0, len(found) - number)


def _is_told(change: Change) -> bool:
    before = change.before
    if before is None:
        return True
    is_moved = figures.score(before.score) != figures.score(change.scan.score) or before.grade != change.scan.grade
    findings = (change.new, change.fixed, change.accepted, change.reopened)
    return is_moved or any(findings) or before.edition != change.scan.edition


def _entry(service: ServiceRecord, change: Change, portfolio: Portfolio) -> Entry:
    scan, before = change.scan, change.before
    kind, symbol, word = _direction(change)
    is_first = before is None
    return Entry(
        f"{scan.at:%Y-%m-%d}",
        (scan.at.isoformat(), service.label),
        plain(service.label),
        addresses.service(service),
        plain(scan.commit[:_SHORT]) if scan.commit else "",
        kind,
        symbol,
        word,
        plain(scan.grade if before is None or before.grade == scan.grade else f"{before.grade} → {scan.grade}"),
        ("" if scan.score is None else figures.score(scan.score))
        if before is None or kind == "same"
        else f"{figures.score(before.score)} → {figures.score(scan.score)}",
        "the first scan" if before is None else ", ".join(_moves(service, change, portfolio)),
        "" if before is None or before.edition == scan.edition else f"edition {plain(scan.edition)}",
        change.is_trusted,
        () if is_first else _items(change.new),
        0 if is_first else max(0, len(change.new) - _SHOWN),
        () if is_first else _items(change.fixed),
        0 if is_first else max(0, len(change.fixed) - _SHOWN),
        0 if is_first else len(change.accepted),
        len(change.reopened),
    )


def _direction(change: Change) -> tuple[str, str, str]:
    old, new = change.before.score if change.before else None, change.scan.score
    if old is None or new is None or figures.score(old) == figures.score(new):
        return "same", "=", "score as before"
    return ("better", "▲", "better") if new > old else ("worse", "▼", "worse")


def _moves(service: ServiceRecord, change: Change, portfolio: Portfolio) -> Iterable[str]:
    """The principles whose score moved with this scan, the farthest first."""
    assert change.before is not None
    found: list[tuple[float, str]] = []
    for id_, by_service in portfolio.principle_periods.items():
        periods = by_service.get(service.id, ())
        place = bisect_left(periods, change.scan.at, key=_first)
        if not 0 < place < len(periods) or periods[place].first != change.scan.at:
            continue
        before, now = periods[place - 1], periods[place]
        old, new = before.value.score if before.holds_at(change.before.at) else None, now.value.score
        if old is not None and new is not None and abs(new - old) >= _SMALLEST:
            found.append((abs(new - old), f"{plain(id_)} {figures.score(old)} → {figures.score(new)}"))
    found.sort(key=lambda pair: (-pair[0], pair[1]))
    yield from (text for _, text in found[:_MOVES])
    if len(found) > _MOVES:
        yield f"{figures.count(len(found) - _MOVES, 'other principle')} moved"


def _first(period: Period[PrincipleRecord]) -> datetime:
    return period.first


def _items(findings: Sequence[FindingRecord]) -> tuple[Item, ...]:
    ordered = sorted(findings, key=lambda f: (f.severity.rank, f.rule, f.path, f.line))
    return tuple(
        Item(f.severity.value, plain(f.rule), plain(f.subject.label), f"{plain(f.path)}:{f.line}")
        for f in ordered[:_SHOWN]
    )
