"""The pages of a dashboard that is live: drawn when they are asked for, from what the store tells then."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from threading import Lock

from assay.reports import html
from assay.reports.dashboard import addresses, courses
from assay.reports.dashboard.live.news import State, Watch, changed, news
from assay.reports.dashboard.live.shelf import Document, Shelf
from assay.reports.dashboard.live.source import Opened, Source
from assay.reports.dashboard.page import Draw
from assay.reports.dashboard.portfolio import LOG_DAYS, Portfolio
from assay.reports.dashboard.site import pages
from assay.scanner.history.records import ScanRecord, ServiceRecord

__all__ = ["Live"]

_SHELF = 100_000_000
"""Bytes of pages and full reports: 30 reports of 5,000 findings, or hundreds of pages."""
_FEW = 0.1
"""The share of services up to which it is quicker to ask for each that changed than for all in one go."""


@dataclass(frozen=True, slots=True)
class _Site:
    """All pages as of one state of the store and one hour; reports by address."""

    state: State
    portfolio: Portfolio
    drawn: dict[str, Draw]
    reports: dict[str, ScanRecord]


class Live:
    """`opening` opens the store; `stale_days`, `log_days` and `snippets` are as for a static site.

    Several threads may ask. One of them asks the store for what changed, while the others are shown what is known; and
    one at a time draws, as that is work for the processor.
    """

    def __init__(
        self,
        opening: Callable[[], Opened],
        stale_days: int,
        log_days: int = LOG_DAYS,
        *,
        snippets: bool,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._source = Source(opening)
        self._watch = Watch(self._source)
        self._stale_days, self._log_days = stale_days, log_days
        self._snippets = snippets
        self._clock = clock
        self._renewing, self._drawing = Lock(), Lock()
        self._site: _Site | None = None
        self._shelf = Shelf(_SHELF)

    def document(self, address: str) -> Document | None:
        """What is at the address, relative to the dashboard's top; None where nothing is.

        Raises StoreError, and ReportError where a full report was kept by another version.
        """
        site = self._current()
        with self._drawing:
            scan = site.reports.get(address)
            if scan is not None:
                return self._report(address, scan)
            draw = site.drawn.get(address)
            if draw is None:
                return None
            key = site.state.id, site.portfolio.now, address
            document = self._shelf.get(key)
            if document is None:
                document = Document.of(address, draw())
                self._shelf.put(key, document)
            return document

    def news(self, seen: str) -> str:
        """What pages that are drawn now show, and those of the state of that id don't, in a sentence; else nothing.

        Raises StoreError.
        """
        now = self._current(lately=True).state
        return "" if now.id == seen else news(self._watch.known(seen), now)

    def refresh(self) -> None:
        """Ask for what changed, so that nobody waits for it later. Raises StoreError."""
        self._current()

    def close(self) -> None:
        """Let go of the store."""
        self._source.close()

    def _course(self, service: ServiceRecord) -> str:
        with self._source.reading() as history:
            return courses.script(service, history.course(service.id))

    def _report(self, address: str, scan: ScanRecord) -> Document | None:
        # A scan of the same commit again keeps its number.
        key = scan.id, scan.stored
        document = self._shelf.get(key)
        if document is None:
            with self._source.reading() as history:
                result = history.report(scan.id)
            if result is None:
                return None
            document = Document.of(address, html.render(result, snippets=self._snippets))
            self._shelf.put(key, document)
        return document

    def _current(self, *, lately: bool = False) -> _Site:
        """What the store tells now; `lately`: or a second ago. Raises StoreError."""
        state = self._watch.state(lately=lately)
        # Pages tell days, and whether a scan is too old: once an hour is often enough.
        now = self._clock().replace(minute=0, second=0, microsecond=0)
        known = self._site
        if known is not None and (known.state.id, known.portfolio.now) == (state.id, now):
            return known
        if not self._renewing.acquire(blocking=known is None):
            assert known is not None
            return known
        try:
            # The one that was waited for may have brought it.
            if self._site is None or self._site is known:
                self._site = self._renewed(known, now)
                self._watch.remember(self._site.state)
            return self._site
        finally:
            self._renewing.release()

    def _renewed(self, known: _Site | None, now: datetime) -> _Site:
        with self._source.reading() as history:
            state = State.of(history.marks())
            others = [] if known is None else changed(known.state, state)
            if known is None or len(others) > max(1, _FEW * len(state.marks)):
                portfolio = Portfolio.read(history, now, self._stale_days, state.id, self._log_days)
            else:
                portfolio = known.portfolio.renewed(history, others, now, state.id)
        kept = portfolio.reports()
        drawn = pages(portfolio, kept)
        drawn |= {addresses.data(one): partial(self._course, one) for one in portfolio.services}
        reports = {addresses.report(one): kept[one.id] for one in portfolio.services if one.id in kept}
        return _Site(state, portfolio, drawn, reports)
