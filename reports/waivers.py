"""The waivers of a tree: a table of each owner's on a terminal, or all of them as JSON."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import groupby

import msgspec
from rich.console import Console

from assay.reports import figures
from assay.reports.jsontext import json_text
from assay.reports.plain import plain
from assay.reports.screen import Screen
from assay.scanner.results import AcceptedBy, ScanResult, WaiverUse

SOON = 14
"""Days before its end from which a waiver is marked."""


class _Waiver(msgspec.Struct):
    id: str
    target: str
    reason: str
    owner: str
    approver: str | None
    ticket: str | None
    created: str
    expires: str
    days_left: int
    is_expired: bool
    covered: int
    maximum: int | None
    place: str


def as_json(uses: Iterable[WaiverUse]) -> str:
    """An array, in the order of the table."""
    return json_text([_as_struct(use) for use in _in_order(uses)])


def _as_struct(use: WaiverUse) -> _Waiver:
    said = use.acceptance
    return _Waiver(
        said.id,
        use.target,
        said.reason,
        said.owner,
        said.approver or None,
        said.ticket or None,
        said.created,
        said.expires,
        use.days_left,
        use.days_left < 0,
        use.covered,
        use.maximum,
        use.place,
    )


def render(uses: Sequence[WaiverUse], of: int, result: ScanResult, console: Console) -> None:
    """Those that are shown, `of` how many, by owner and then by end; what comments ignore is counted below."""
    screen = Screen(console)
    for owner, own in groupby(_in_order(uses), key=lambda u: u.acceptance.owner):
        _owner(owner, list(own), screen)
    if not uses:
        screen.line("No waivers." if not of else f"None of the {figures.count(of, 'waiver')} ends in that time.")
    elif len(uses) < of:
        screen.line(f"{len(uses):,} of {figures.count(of, 'waiver')}.")
    by_comments = sum(f.acceptance is not None and f.acceptance.by is AcceptedBy.IGNORE for f in result.findings)
    if result.ignores:
        comments = figures.count(len(result.ignores), "ignore comment")
        screen.line(f"Besides, {comments} in the code for {figures.count(by_comments, 'finding')}.")
    for notice in result.notices:
        screen.line(("! ", "yellow"), plain(notice))


def _in_order(uses: Iterable[WaiverUse]) -> list[WaiverUse]:
    return sorted(uses, key=lambda u: (u.acceptance.owner, u.acceptance.expires, u.acceptance.id, u.place))


def _owner(owner: str, uses: Sequence[WaiverUse], screen: Screen) -> None:
    covered = sum(use.covered for use in uses)
    screen.line((plain(owner), "bold"), f"   {figures.count(len(uses), 'waiver')}, {figures.count(covered, 'finding')}")
    screen.table(
        [("of", False), ("id", False), ("findings", True), ("days old", True), ("expires", False), ("", False)],
        [_row(use) for use in uses],
    )
    screen.line()


def _row(use: WaiverUse) -> tuple[str | tuple[str, str], ...]:
    figure = f"{use.covered:,}" if use.maximum is None else f"{use.covered:,} of {use.maximum:,}"
    is_surplus = use.maximum is not None and use.covered > use.maximum
    return (
        plain(use.target),
        plain(use.acceptance.id),
        (figure, "yellow" if not use.covered or is_surplus else ""),
        f"{use.days_old:,}",
        use.acceptance.expires,
        _end(use.days_left),
    )


def _end(days_left: int) -> tuple[str, str]:
    if days_left < 0:
        return f"expired {figures.count(-days_left, 'day')} ago", "red"
    left = f"{figures.count(days_left, 'day')} left" if days_left else "today is the last day"
    return left, "yellow" if days_left <= SOON else "dim"
